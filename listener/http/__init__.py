"""The way out: everything Listener and its adapters ask of other machines goes through here.

client     Client: the polite HTTP client that adapters are given as `Tools.http`
guard      AddressGuard: which addresses may be dialled; given as `Tools.guard`
addresses  the pure rule behind it
session    guarded_session(): the same for libraries that bring `requests`; given as `Tools.session`
waits      how long a server asks us to wait
"""

from listener.http.client import MAX_REDIRECTS, USER_AGENT, Client, shown
from listener.http.guard import WEB_PORTS, AddressGuard, NotReached
from listener.http.waits import LONGEST_WAIT, http_date, retry_after

__all__ = [
    "LONGEST_WAIT", "MAX_REDIRECTS", "USER_AGENT", "WEB_PORTS", "AddressGuard", "Client", "NotReached", "http_date",
    "retry_after", "shown",
]  # fmt: skip
