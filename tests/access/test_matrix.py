"""Every operation by everybody: what is answered is what the table says."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.auth.models import AccessKey, LinkedAccount, Session
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_queue import DeadLetter
from app.main import create_app
from app.notifications.models import Notification
from app.users.models import DataExport
from tests.access.table import ROLES, TABLE
from tests.catalog.factories import add_album, add_artist, add_track
from tests.conftest import http_client
from tests.notifications.factories import tell
from tests.people import People, Person
from tests.reviews.factories import write_comment, write_review
from tests.rules.sources import Operation, operations
