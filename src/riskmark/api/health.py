"""Whether the process lives, whether it can serve, and what Prometheus reads of it."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from riskmark import __version__
from riskmark.api.identity import Admin, Installation
from riskmark.api.problems import PROBLEMS
from riskmark.reports.metrics import open_registry
from riskmark.storage import migrate

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """An answer of a process that is well."""

    status: str


@router.get("/health/live")
def live() -> Health:
    """Say that the process answers."""
    return Health(status="live")


@router.get("/health/ready", responses={503: PROBLEMS[503]})
def ready(app: Installation) -> Health:
    """Say that the database answers and has the schema of this version; 503 if not."""
    with app.database.read() as connection:
        migrate.check_schema(connection)
    return Health(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "Metrics as text."},
        401: PROBLEMS[401],
        403: PROBLEMS[403],
    },
)
def metrics(_: Admin, request: Request, app: Installation) -> Response:
    """Tell Prometheus what there is to tell; it needs a token of an admin."""
    state = request.app.state
    if not hasattr(state, "registry"):
        state.registry = open_registry(app.database, app.target, version=__version__)
    return Response(generate_latest(state.registry), media_type=CONTENT_TYPE_LATEST)
