"""The first steps, as the official README shows them: a batch with three events, sent now and sent with a callback."""

# mypy: allow-untyped-defs, allow-untyped-calls
import sys

import mparticle
from mparticle import AppEvent, Batch, SessionEndEvent, SessionStartEvent

batch = Batch()
batch.environment = "development"
batch.events = [SessionStartEvent(), AppEvent("Hello World", "navigation"), SessionEndEvent()]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
api = mparticle.EventsApi(configuration)

try:
    api.upload_events(batch)
    sys.stdout.write("sent\n")
except mparticle.rest.ApiException as error:
    sys.stdout.write(f"not sent: {error}\n")


def called_back(response):
    if type(response) is mparticle.rest.ApiException:
        sys.stdout.write(f"not sent: {response.status}\n")
    else:
        _, status, headers = response
        sys.stdout.write(f"called back: {status} {'Date' in headers}\n")


api.upload_events(batch, callback=called_back).join()

configuration.api_key = ""
api.upload_events(batch, callback=called_back).join()
