"""Who has an account: invited, welcomed, given another role, closed. Links are one-time secrets, kept as digests.

Called by the pages, by the API, and by `listener user` in the operator's name.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from listener.casework.permission import allowed
from listener.casework.sessions import Sessions, about, digest_of
from listener.core.case import Status, Wanted
from listener.core.casework import lapsed
from listener.core.colleague import Colleague, handle_of, name_of, role_of
from listener.core.errors import Refused
from listener.core.event import AccountAct, Actor
from listener.core.password import check_password
from listener.core.tools import Clock
from listener.store import Store

_Change = Callable[[Colleague], Colleague]

FIRST_FOR = timedelta(hours=24)
LINK_FOR = timedelta(days=3)
"""How long links can be used: the first admin's, and everybody else's."""
PER_ADDRESS = 10
"""Links an hour that lead nowhere, from one address."""
HELD: tuple[Status, ...] = ("acknowledged", "snoozed", "waiting")
"""In these a case belongs to somebody."""
NO_LINK = "this link was used already, was replaced by a newer one, or is too old; ask for a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What a link invites to: to make the first account, to join (no password yet), or to choose a new password.

    Args:
        colleague: whose account it is; None: the first one is still to be made.
        joining: whether they choose handle and name as well.
        expires_at: until when the link can be used.
    """

    colleague: Colleague | None
    joining: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account in the list of colleagues.

    Args:
        colleague: whose it is.
        joined: whether they chose a password.
        seen_at: when they were last here; None: not of late.
        link_until: until when a link that they were given can be used; None without one.
    """

    colleague: Colleague
    joined: bool
    seen_at: datetime | None
    link_until: datetime | None


class Accounts:
    """Makes, changes and closes accounts.

    Args:
        store: the database.
        clock: says the present.
        sessions: hashes passwords, counts tries and signs in.
    """

    def __init__(self, store: Store, clock: Clock, sessions: Sessions) -> None:
        """Keep them."""
        self._store = store
        self._clock = clock
        self._sessions = sessions

    def all(self) -> tuple[Standing, ...]:
        """Every account, open ones first, by name."""
        used, links = self._store.colleagues.used(), self._store.invitations.waiting(self._clock())
        found = (
            Standing(
                colleague=each, joined=each.id in used, seen_at=used.get(each.id), link_until=links.get(each.id)
            )
            for each in self._store.colleagues.all()
        )  # fmt: skip
        return tuple(sorted(found, key=lambda standing: standing.colleague.left_at is not None))

    def find(self, handle: str) -> Colleague:
        """The colleague who signs in under a handle.

        Raises:
            Refused: nobody does.
        """
        found = self._store.colleagues.find(handle.strip())
        if found is None:
            raise Refused("nobody signs in under that handle", resource=handle[:64])
        return found

    def first_link(self) -> str | None:
        """A link for the first admin in the place of earlier ones; None once there is an account."""
        if self._store.colleagues.any():
            return None
        secret, now = secrets.token_urlsafe(32), self._clock()
        self._store.invitations.add(digest_of(secret), None, now, now + FIRST_FOR)
        return secret

    def empty(self) -> bool:
        """Whether nobody has an account yet."""
        return not self._store.colleagues.any()

    def invite(self, by: Actor, handle: str, name: str, role: str) -> tuple[Colleague, str]:
        """Make an account; gives it with the secret of the link by which its owner chooses a password.

        Raises:
            Refused: the role does not allow it, or the handle is taken or no handle.
        """
        self._may_manage(by)
        chosen = role_of(role)
        with self._store.transaction():
            made = self._store.colleagues.add(handle_of(handle), name_of(name), chosen, self._clock())
            # Nobody waits for somebody who has not come yet.
            made = self._store.colleagues.change(replace(made, on_duty=False))
            self._tell(by, "colleague invited", made, f"as {chosen}")
            return made, self._link(made)

    def reset(self, by: Actor, handle: str) -> tuple[Colleague, str]:
        """Make a link by which somebody chooses a new password; the old one holds until they do.

        Raises:
            Refused: the role does not allow it, nobody has that handle, or the account is closed.
        """
        self._may_manage(by)
        with self._store.transaction():
            found = self._open(handle)
            self._tell(by, "link made", found)
            return found, self._link(found)

    def change_role(self, by: Actor, handle: str, role: str) -> Colleague:
        """Give somebody another role; they have to sign in again.

        Raises:
            Refused: the role does not allow it, nobody has that handle, or it is the last admin's.
        """
        self._may_manage(by)
        chosen = role_of(role)
        with self._store.transaction():
            found = self._open(handle)
            if found.role == chosen:
                return found
            self._not_last(found)
            self._store.sessions.end_all(found.id)
            self._tell(by, "role changed", found, f"{found.role} to {chosen}")
            changed = self._store.colleagues.change(replace(found, role=chosen))
            if not changed.may("work"):
                self._hand_back(changed, by, f"the role is {chosen} now")
            return changed

    def close(self, by: Actor, handle: str) -> Colleague:
        """Close an account: sessions, links, tokens and claims end at once. What its owner did stays in the log.

        Raises:
            Refused: the role does not allow it, nobody has that handle, it is closed, one's own, or the last admin's.
        """
        self._may_manage(by)
        with self._store.transaction():
            found, now = self._open(handle), self._clock()
            if by.colleague is not None and by.colleague.id == found.id:
                raise Refused("nobody closes their own account; ask another admin")
            self._not_last(found)
            self._end_ways_in(found, now)
            self._hand_back(found, by, "the account was closed")
            self._store.colleagues.set_password(found.id, None)
            self._tell(by, "account closed", found)
            return self._store.colleagues.change(replace(found, left_at=now, on_duty=False))

    def reopen(self, by: Actor, handle: str) -> tuple[Colleague, str]:
        """Open a closed account again; gives it with the secret of a link to choose a new password.

        Raises:
            Refused: the role does not allow it, nobody has that handle, or the account is open.
        """
        self._may_manage(by)
        with self._store.transaction():
            found = self.find(handle)
            if found.left_at is None:
                raise Refused("that account is open", resource=found.handle)
            opened = self._store.colleagues.change(replace(found, left_at=None))
            self._tell(by, "account reopened", opened, f"as {opened.role}")
            return opened, self._link(opened)

    def invitation(self, secret: str, *, address: str) -> Welcome:
        """What a link invites to.

        Raises:
            Refused: it leads nowhere.
            TooOften: too many links of that address led nowhere.
        """
        buckets = ((f"welcome from {address}", PER_ADDRESS),)
        self._sessions.count(buckets)
        found = self._store.invitations.find(digest_of(secret), self._clock())
        if found is None or (found.colleague is None and not self.empty()):
            raise Refused(NO_LINK)
        self._sessions.uncount(buckets)
        if found.colleague is None:
            return Welcome(colleague=None, joining=True, expires_at=found.expires_at)
        joining = self._store.colleagues.password(found.colleague) is None
        owner = self._store.colleagues.get(found.colleague)
        return Welcome(colleague=owner, joining=joining, expires_at=found.expires_at)

    def welcome(
        self, secret: str, *, handle: str, name: str, password: str, address: str, browser: str
    ) -> str:  # fmt: skip
        """Use a link: choose handle, name and password, or a new password; gives the secret of a new session.

        Raises:
            Refused: the link leads nowhere, or what was chosen cannot be; says why.
            TooOften: too many links of that address led nowhere.
        """
        found = self.invitation(secret, address=address)
        owner = found.colleague
        if found.joining or owner is None:
            handle, name = handle_of(handle), name_of(name)
        else:
            handle, name = owner.handle, owner.name
        written = self._sessions.passwords.write(check_password(password, handle, name))
        with self._store.transaction():
            now = self._clock()
            if not self._store.invitations.use(digest_of(secret), now) or (owner is None and not self.empty()):
                raise Refused(NO_LINK)
            if owner is None:
                owner = self._store.colleagues.add(handle, name, "admin", now)
            owner = self._store.colleagues.get(owner.id)  # As it is now: the role may have changed meanwhile.
            on_duty = owner.on_duty or found.joining
            owner = self._store.colleagues.change(replace(owner, handle=handle, name=name, on_duty=on_duty))
            self._store.colleagues.set_password(owner.id, written)
            self._store.sessions.end_all(owner.id)
            act: AccountAct = "colleague joined" if found.joining else "password changed"
            self._tell(Actor(colleague=owner, via="page"), act, owner, f"by a link, from {address}")
            return self._sessions.open(owner, browser)

    def rename(self, by: Actor, name: str) -> Colleague:
        """Call oneself something else.

        Raises:
            Refused: it is no name.
        """
        return self._change_own(by, "name changed", lambda me: replace(me, name=name_of(name)), f"to {name_of(name)}")

    def set_duty(self, by: Actor, on_duty: bool) -> Colleague:
        """Say whether one answers customers now.

        Raises:
            Refused: nobody is signed in.
        """
        return self._change_own(by, "duty changed", lambda me: replace(me, on_duty=on_duty), "on" if on_duty else "off")

    def set_shortcuts(self, by: Actor, shortcuts: bool) -> Colleague:
        """Say whether single keys do something on one's pages.

        Raises:
            Refused: nobody is signed in.
        """
        detail = "on" if shortcuts else "off"
        return self._change_own(by, "shortcuts changed", lambda me: replace(me, shortcuts=shortcuts), detail)

    def change_password(self, by: Actor, old: str, new: str, *, browser: str) -> str:
        """Choose another password; every session ends, and the secret of a new one is given.

        Raises:
            Refused: the old one is wrong or the new one cannot be.
            TooOften: the old one was guessed at too often.
        """
        me = self._self(by)
        bucket = ((f"password of {me.id}", PER_ADDRESS),)
        self._sessions.count(bucket)
        known = self._store.colleagues.password(me.id)
        if not self._sessions.passwords.fits(old, known):
            raise Refused("the present password is another one")
        self._sessions.uncount(bucket)
        written = self._sessions.passwords.write(check_password(new, me.handle, me.name))
        with self._store.transaction():
            if self._store.colleagues.password(me.id) != known:
                raise Refused("the password was changed meanwhile, or the account closed")
            self._store.colleagues.set_password(me.id, written)
            self._store.invitations.void(me.id, self._clock())
            self._store.sessions.end_all(me.id)
            self._tell(by, "password changed", me)
            return self._sessions.open(me, browser)

    def _change_own(self, by: Actor, act: AccountAct, change: _Change, detail: str) -> Colleague:
        with self._store.transaction():
            me = self._self(by)
            changed = self._store.colleagues.change(change(me))
            self._tell(by, act, changed, detail)
            return changed

    def _self(self, by: Actor) -> Colleague:
        if by.colleague is None or by.colleague.only is not None:
            raise Refused("that takes a colleague who is signed in")
        return self._store.colleagues.get(by.colleague.id)

    def _open(self, handle: str) -> Colleague:
        found = self.find(handle)
        if found.left_at is not None:
            raise Refused("that account is closed", resource=found.handle)
        return found

    def _link(self, colleague: Colleague) -> str:
        secret, now = secrets.token_urlsafe(32), self._clock()
        self._store.invitations.add(digest_of(secret), colleague.id, now, now + LINK_FOR)
        return secret

    def _end_ways_in(self, colleague: Colleague, now: datetime) -> None:
        self._store.sessions.end_all(colleague.id)
        self._store.invitations.void(colleague.id, now)
        for token in self._store.tokens.of(colleague.id):
            self._store.tokens.revoke(token.id, now)

    def _hand_back(self, colleague: Colleague, by: Actor, why: str) -> None:
        """Let the cases that a colleague has wait for everybody; snoozed ones once they come back."""
        now = self._clock()
        for case in self._store.cases.page(Wanted(statuses=HELD, assignee=colleague.id), limit=-1):
            free = lapsed(case, now) if case.status == "acknowledged" else replace(case, assignee=None)
            changed = self._store.cases.change(free)
            self._store.events.add(by, "released", now, case=changed, detail=why)

    def _not_last(self, colleague: Colleague) -> None:
        joined = self._store.colleagues.password(colleague.id) is not None
        if colleague.role == "admin" and joined and self._store.colleagues.admins() == 1:
            raise Refused("that is the last admin; make somebody else an admin first", resource=colleague.handle)

    def _tell(self, by: Actor, act: AccountAct, colleague: Colleague, detail: str = "") -> None:
        self._store.events.add(by, act, self._clock(), subject=about(colleague), detail=detail)

    def _may_manage(self, by: Actor) -> None:
        """Refuse who may not; commands on the machine may, for whoever runs them can read the database anyway."""
        if by.via != "command":
            allowed(by, "manage")
