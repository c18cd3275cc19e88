"""Uploads with the official Python SDK, unmodified, to a fake with faults, and prints a JSON line a call: what the SDK said.

    python python_sdk_faults.py URL KEY SECRET COUNT

A new EventsApi for every call, as an application has that makes one for each request.
"""

import json
import sys

import mparticle
from mparticle.rest import ApiException


def main(url: str, key: str, secret: str, count: str) -> None:
    for number in range(int(count)):
        configuration = mparticle.Configuration()
        configuration.api_key, configuration.api_secret = key, secret
        configuration.host = f"{url}/v2"
        batch = mparticle.Batch(environment="development", source_request_id=f"r{number}")
        batch.events = [mparticle.AppEvent("ping")]
        try:
            _, status, headers = mparticle.EventsApi(configuration).upload_events(batch)
            said = {"status": status, "headers": dict(headers), "body": None}
        except ApiException as error:
            said = {"status": error.status, "headers": dict(error.headers), "body": error.body}
        sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
