"""Schemathesis against a running server: every operation of the document, with all of its checks."""

import copy
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import GenerationConfig, PhasesConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

SEED = 20_260_501


@dataclass
class Findings:
    """What a run found: a line for each failure, and how much it tried."""

    failures: list[str] = field(default_factory=list)
    cases: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)

    def take(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.FatalError):
            self.failures.append(f"the run broke: {event.exception!r}")
        elif isinstance(event, events.NonFatalError):
            self.failures.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.ScenarioFinished) and event.is_test_scenario:
            self._scenario(event)

    def _scenario(self, event: events.ScenarioFinished) -> None:
        recorder = event.recorder
        self.operations.add(recorder.label)
        self.cases += len(recorder.interactions)
        self.statuses.update(it.response.status_code for it in recorder.interactions.values() if it.response)
        for case_id, checks in recorder.checks.items():
            self.failures += [
                f"{recorder.label}: {_told(check.failure_info)}" for check in checks if check.status is Status.FAILURE
            ]


def _told(failure: Any) -> str:
    said = failure.failure
    return f"{said.title}: {said.message}\n    {failure.code_sample}" if failure else "failed"


def fuzz(document: dict[str, Any], address: str, *, token: str | None, examples: int, fuzzing: bool = True) -> Findings:
    """Runs the phases examples, coverage and fuzzing as one person, or as nobody."""
    project = ProjectConfig(
        base_url=address,
        headers={"Authorization": f"Bearer {token}"} if token else None,
        workers=1,
        continue_on_failure=True,
        generation=GenerationConfig(
            max_examples=examples, deterministic=True, no_shrink=True, database="none",
        ),
    )
    project.phases.stateful.enabled = False
    project.phases.fuzzing.enabled = fuzzing
    config = SchemathesisConfig(seed=SEED, projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document), config=config)
    findings = Findings()
    for event in from_schema(schema).execute():
        findings.take(event)
    return findings
