"""Whether the process lives, and whether it can serve."""

from fastapi import APIRouter
from pydantic import BaseModel

from riskmark.api.identity import Installation
from riskmark.storage import migrate

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """An answer of a process that is well."""

    status: str


@router.get("/live")
def live() -> Health:
    """Say that the process answers."""
    return Health(status="live")


@router.get("/ready")
def ready(app: Installation) -> Health:
    """Say that the database answers and has the schema of this version; 503 if not."""
    with app.database.read() as connection:
        migrate.check_schema(connection)
    return Health(status="ready")
