"""What push remembers between cycles: what Waldur declined, what is owed, whom it called erred.

`journal/` is worth a backup. Without it, push tries again what was declined, and leaves a resource
erred that it can no longer tell for its own.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from waldur_slurm.agent.metering.sums import from_epoch, to_epoch
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.agent.push.plan.findings import Owed
from waldur_slurm.agent.push.plan.steps import TellUsage
from waldur_slurm.agent.push.plan.world import HeldAmounts, Ledger
from waldur_slurm.errors import StateError
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month
from waldur_slurm.state import Document, State, understood

BELIEVED_READINGS = 3
BELIEVED_AFTER = timedelta(minutes=30)

PEAK_LASTS = timedelta(days=1)
"""For so long after a decrease, further ones are judged by the amount before the first."""

_LEDGER = "journal/push"
_OWED = "journal/owed"
_MONTHS = "journal/months"
_ACKNOWLEDGED = "journal/acknowledged"
_BRAKE = "journal/missing-accounts"
_PEAKS = "journal/peaks"
_MEMBERS = "cache/members"


@dataclass(frozen=True, slots=True)
class Journal:
    """The documents of one agent's push direction."""

    state: State

    def read_ledger(self) -> Ledger:
        document = self.state.read(_LEDGER)
        with understood(_LEDGER):
            return Ledger(
                erred=frozenset(map(ResourceUuid, document.get("erred", ()))),
                unerrable=frozenset(map(ResourceUuid, document.get("unerrable", ()))),
                declined={
                    Month.parse(month): _read_amounts(amounts)
                    for month, amounts in document.get("declined", {}).items()
                },
                untaken={
                    ResourceUuid(resource): {
                        ComponentType(kind): int(units) for kind, units in limits.items()
                    }
                    for resource, limits in document.get("untaken", {}).items()
                },
                strangers=frozenset(
                    (Month.parse(month), ResourceUuid(resource), name)
                    for month, resource, name in document.get("strangers", ())
                ),
                members=self._read_members(),
            )

    def _read_members(self) -> Mapping[ResourceUuid, frozenset[str]]:
        """Without them, memberships are told once more."""
        try:
            members = self.state.read(_MEMBERS)
            with understood(_MEMBERS):
                return {ResourceUuid(uuid): frozenset(names) for uuid, names in members.items()}
        except StateError:
            return {}

    def keep_ledger(self, ledger: Ledger) -> None:
        if ledger == self.read_ledger():
            return
        document = {
            "erred": sorted(ledger.erred),
            "unerrable": sorted(ledger.unerrable),
            "declined": {
                str(month): _write_amounts(held) for month, held in ledger.declined.items()
            },
            "untaken": {uuid: dict(limits) for uuid, limits in ledger.untaken.items()},
            "strangers": sorted([str(month), r, name] for month, r, name in ledger.strangers),
        }
        self.state.replace(_LEDGER, document)
        self.state.replace(_MEMBERS, {r: sorted(names) for r, names in ledger.members.items()})

    def read_owed(self) -> tuple[Owed, ...]:
        """Return what is owed and not acknowledged, oldest first."""
        acknowledged = self.state.read(_ACKNOWLEDGED)
        entries = self.state.read(_OWED)
        with understood(_OWED):
            found = [_read_owed(entry) for entry in entries.get("owed", ())]
        with understood(_ACKNOWLEDGED):
            return tuple(sorted(owed for owed in found if not _is_settled(owed, acknowledged)))

    def keep_owed(
        self, judged: Collection[tuple[Month, ResourceUuid]], owed: Iterable[Owed]
    ) -> None:
        """Replace what is owed of what was measured; all other debts stay."""
        document = self.state.read(_OWED)
        with understood(_OWED):
            entries = [
                entry
                for entry in document.get("owed", ())
                if (Month.parse(entry["month"]), entry["resource"]) not in judged
            ]
        entries += [_write_owed(each) for each in sorted(owed)]
        if entries != document.get("owed", []):
            self.state.replace(_OWED, {"owed": entries})

    def acknowledge(
        self, month: Month, account: AccountName, reason: str, now: datetime
    ) -> tuple[Owed, ...]:
        """A person takes note of an account's debt; it shows again only if it changes."""
        settled = tuple(o for o in self.read_owed() if (o.month, o.account) == (month, account))
        if settled:
            entries = {
                **self.state.read(_ACKNOWLEDGED),
                f"{month}/{account}": {
                    "reason": reason,
                    "at": to_epoch(now),
                    "amounts": {owed.component: str(owed.measured) for owed in settled},
                },
            }
            self.state.replace(_ACKNOWLEDGED, entries)
        return settled

    def read_newest_month(self) -> Month | None:
        """Return the month that ran when a cycle last told all it had."""
        newest = self.state.read(_MONTHS).get("newest")
        with understood(_MONTHS):
            return Month.parse(newest) if newest else None

    def keep_newest_month(self, month: Month) -> None:
        if month != self.read_newest_month():
            self.state.replace(_MONTHS, {"newest": str(month)})

    def read_peaks(self, now: datetime) -> Mapping[Month, HeldAmounts]:
        """Return the amounts from which usage has begun to fall within the last day."""
        peaks: dict[Month, dict[tuple[ResourceUuid, ComponentType], Decimal]] = {}
        with understood(_PEAKS):
            for key, entry in self._lasting_peaks(now).items():
                month, resource, component = key.split("/", 2)
                held = peaks.setdefault(Month.parse(month), {})
                held[ResourceUuid(resource), ComponentType(component)] = Decimal(entry["amount"])
        return peaks

    def note_decrease(self, step: TellUsage, now: datetime, *, is_allowed: bool) -> None:
        """After one that a person allowed, what is told then is the new measure."""
        peaks = dict(self._lasting_peaks(now))
        for component, amount in step.amounts.items():
            before = step.before.get(component, amount)
            key = f"{step.month}/{step.resource.uuid}/{component}"
            if is_allowed:
                peaks.pop(key, None)
            elif amount < before:
                peak = peaks.get(key, {"amount": str(before), "at": to_epoch(now)})
                peaks[key] = {**peak, "amount": str(max(before, Decimal(peak["amount"])))}
        if peaks != self.state.read(_PEAKS):
            self.state.replace(_PEAKS, peaks)

    def _lasting_peaks(self, now: datetime) -> Document:
        """A moment far in the future was told by a clock that was wrong."""
        kept = self.state.read(_PEAKS)
        return {key: e for key, e in kept.items() if abs(now - from_epoch(e["at"])) < PEAK_LASTS}

    def believes_missing(self, now: datetime, *, is_doubtful: bool, remember: bool) -> bool:
        """Whether to believe that accounts are gone: most at once only after several readings."""
        document = self.state.read(_BRAKE)
        with understood(_BRAKE):
            readings = document.get("readings", 0) + 1 if is_doubtful else 0
            since = document.get("since", to_epoch(now)) if readings > 1 else to_epoch(now)
            lasted = now - from_epoch(since)
        after = {"readings": readings, "since": since} if is_doubtful else {}
        if remember and after != document:
            self.state.replace(_BRAKE, after)
        return not is_doubtful or (readings >= BELIEVED_READINGS and lasted >= BELIEVED_AFTER)


def _write_amounts(held: HeldAmounts) -> Mapping[str, Mapping[str, str]]:
    written: dict[str, dict[str, str]] = {}
    for (resource, component), amount in held.items():
        written.setdefault(resource, {})[component] = str(amount)
    return written


def _read_amounts(document: Document) -> HeldAmounts:
    return {
        (ResourceUuid(resource), ComponentType(component)): Decimal(amount)
        for resource, amounts in document.items()
        for component, amount in amounts.items()
    }


def _write_owed(owed: Owed) -> Document:
    return {
        "month": str(owed.month),
        "account": owed.account,
        "resource": owed.resource,
        "component": owed.component,
        "measured": str(owed.measured),
        "held": str(owed.held),
    }


def _read_owed(entry: Document) -> Owed:
    return Owed(
        Month.parse(entry["month"]),
        AccountName(entry["account"]),
        ResourceUuid(entry["resource"]),
        ComponentType(entry["component"]),
        Decimal(entry["measured"]),
        Decimal(entry["held"]),
    )


def _is_settled(owed: Owed, acknowledged: Document) -> bool:
    entry = acknowledged.get(f"{owed.month}/{owed.account}", {"amounts": {}})
    return bool(entry["amounts"].get(owed.component) == str(owed.measured))
