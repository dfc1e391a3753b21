"""Write the console into a folder for S3: the same files, the address of the API, and the headers to send.

    python -m workflows.console.publishing build/console --api https://api.example.com/ \
        --login-domain https://login.example.com --login-client 4abc

Copy the folder with ``aws s3 sync``. ``headers.json`` in it holds what CloudFront's response headers policy has to
send.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from workflows.console.files import CONTENT_TYPES, FOLDER, ConsoleFiles
from workflows.console.policy import other_origins, security_headers


class LibrariesMissing(Exception):
    """The console is not complete. The message names what to install."""


def publish(into: Path, *, api: str, base: str, login: dict[str, str], environment: str) -> None:
    """Write the console's files into a new folder.

    Args:
        api: The API's address with a slash at its end; ``/`` if it has the console's own host.
        base: The path of the console at its host, e.g. ``/console/``.
        login: The ``login`` of ``config.json``.

    Raises:
        LibrariesMissing: The libraries are not installed.
        FileExistsError: The folder exists.
    """
    missing = ConsoleFiles().missing()
    if missing:
        raise LibrariesMissing(f"run make console first; missing: {', '.join(missing)}")
    into.mkdir(parents=True)
    for file in FOLDER.rglob("*"):
        if file.is_file() and file.suffix in CONTENT_TYPES:
            target = into / file.relative_to(FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    page = (FOLDER / "index.html").read_text().replace('<base href="/console/">', f'<base href="{base}">')
    (into / "index.html").write_text(page)
    config: dict[str, Any] = {"api": api, "login": login, "environment": environment}
    (into / "config.json").write_text(json.dumps(config, indent=2))
    (into / "headers.json").write_text(json.dumps(security_headers(page.encode(), other_origins(config)), indent=2))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m workflows.console.publishing", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--api", default="/")
    parser.add_argument("--base", default="/console/")
    parser.add_argument("--login-domain", required=True, help="Of the user pool, with https://")
    parser.add_argument("--login-client", required=True, help="The id of the user pool's client, which has no secret.")
    parser.add_argument("--environment", default="", help="Shown in the header, e.g. production.")
    options = parser.parse_args()
    login = {"kind": "cognito", "domain": options.login_domain, "client_id": options.login_client}
    try:
        publish(options.folder, api=options.api, base=options.base, login=login, environment=options.environment)
    except (LibrariesMissing, FileExistsError) as error:
        print(f"not written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
