"""Definitions of machines that several tests run."""

WAITING = """
StartAt: Wait
States:
  Wait:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
    Arguments:
      FunctionName: LeaveToken
      Payload: {place: "{% $states.input.place %}", token: "{% $states.context.Task.Token %}"}
    TimeoutSeconds: 3600
    End: true
"""
"""One task that waits for a token, which it leaves at a place."""
