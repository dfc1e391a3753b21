#!/bin/sh
# Puts the official DynamoDB Local, as the npm package amplify-dynamodb-simulator ships it, into .dynamodb-local/.
# The contract suite of the event log runs on it when it is there and Java 17 or newer is too.
set -eu
cd "$(dirname "$0")/.."
if [ -e .dynamodb-local/emulator/DynamoDBLocal.jar ]; then
    exit 0
fi
mkdir -p .dynamodb-local
cd .dynamodb-local
npm pack --silent amplify-dynamodb-simulator >/dev/null
tar -xzf amplify-dynamodb-simulator-*.tgz --strip-components=1 package/emulator
rm amplify-dynamodb-simulator-*.tgz
test -e emulator/DynamoDBLocal.jar
