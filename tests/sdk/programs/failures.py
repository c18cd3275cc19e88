"""What goes wrong and is handled: missing credentials, a wrong path, wrong arguments and values."""

# mypy: allow-untyped-defs, allow-untyped-calls
import sys

import mparticle
from mparticle.rest import ApiException

url, key, secret = sys.argv[1:]


def api_of(host=url, api_key=key, api_secret=secret):
    configuration = mparticle.Configuration()
    configuration.host, configuration.api_key, configuration.api_secret = host, api_key, api_secret
    return mparticle.EventsApi(configuration)


def tell(call, *args, **kwargs):
    try:
        result = call(*args, **kwargs)
    except ApiException as error:
        told = f"{error.status} {error.reason} {error.body} {error.headers['content-type']}"
        sys.stdout.write(f"ApiException: {told}\n")
    except (TypeError, ValueError) as error:
        sys.stdout.write(f"{'ValueError' if isinstance(error, ValueError) else 'TypeError'}\n")
    else:
        sys.stdout.write(f"{result[1]}\n")


batch = mparticle.Batch()
batch.environment = "development"
batch.events = [mparticle.AppEvent("ping")]

tell(api_of(api_key="", api_secret="").upload_events, batch)
tell(api_of(host=url.replace("/v2", "/v1")).upload_events, batch)
tell(api_of().upload_events, batch, colour="red")
tell(api_of().bulk_upload_events, [batch], colour="red")
tell(api_of().upload_events)
tell(api_of().upload_events, None)
tell(api_of().bulk_upload_events, None)

wrong = mparticle.Batch()
try:
    wrong.environment = "staging"
    api_of().upload_events(wrong)
except ValueError:
    sys.stdout.write("a wrong environment is a ValueError\n")

tell(api_of().upload_events, batch)
