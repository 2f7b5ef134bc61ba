"""The second factor: codes of six digits that change every 30 seconds (RFC 6238).

A code is taken from the present step or the one before or after it, as clocks differ, and only
once: whoever reads it over a shoulder comes too late.
"""

from datetime import datetime

import pyotp

STEP_S = 30
TOLERANCE = 1
"""Steps by which two clocks may differ."""
ISSUER = "Riskmark"


def new_secret() -> str:
    """Return a random secret: 160 bits in base 32."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, email: str) -> str:
    """Return what an authenticator reads from a QR code."""
    totp = pyotp.TOTP(secret, interval=STEP_S, name=email, issuer=ISSUER)
    return totp.provisioning_uri()


def matching_step(secret: str, code: str, *, at: datetime) -> int | None:
    """Return the time step whose code is ``code``; None if it is not one of those near ``at``."""
    now = int(at.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret, interval=STEP_S)
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        # All are compared, and each in constant time.
        if pyotp.utils.strings_equal(code.strip(), totp.at(step * STEP_S)):
            found = step
    return found
