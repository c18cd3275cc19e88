"""Records the requests that the real SDKs send, for test_replay.py. Run it after a change of a program or an SDK's version:

.venv/bin/python -m tests.clients.record [python] [node]
"""

import sys

from tests.clients.harness import CLIENTS, RECORDINGS, recording, run


def main(names: list[str]) -> None:
    """Write the recordings of the clients named, or of all."""
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    for client in CLIENTS:
        if names and client.name not in names:
            continue
        if not client.available:
            sys.exit(f"This needs {client.needs}.")
        client.recording.write_text(recording(run(client)), encoding="utf-8")
        sys.stderr.write(f"{client.recording.name}: {client.recording.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
