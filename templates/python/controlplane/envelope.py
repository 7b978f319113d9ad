"""Failures as they stand on the wire."""

import uuid
from datetime import datetime, timezone

CONTRACT_VERSION = {"major": 1, "minor": 0, "patch": 0}

# code: (category, HTTP status)
CODES = {
    "VALIDATION_ERROR": ("VALIDATION_ERROR", 400),
    "INVALID_JSON": ("VALIDATION_ERROR", 400),
    "PAYLOAD_TOO_LARGE": ("VALIDATION_ERROR", 413),
    "UNSUPPORTED_MEDIA_TYPE": ("VALIDATION_ERROR", 415),
    "METHOD_NOT_ALLOWED": ("VALIDATION_ERROR", 405),
    "ROUTE_NOT_FOUND": ("RESOURCE_NOT_FOUND", 404),
    "CAPABILITY_NOT_FOUND": ("RESOURCE_NOT_FOUND", 404),
    "OUTPUT_INVALID": ("SCHEMA_MISMATCH", 500),
    "SIGNATURE_INVALID": ("AUTHENTICATION_ERROR", 401),
    "RUNNER_BUSY": ("RATE_LIMITED", 429),
    "RUNNER_DRAINING": ("SERVICE_UNAVAILABLE", 503),
    "EXECUTION_TIMEOUT": ("TIMEOUT", 504),
}


def status_of(code):
    return CODES.get(code, ("", 500))[1]


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(failure, service):
    category, _ = CODES.get(failure.code, ("RUNTIME_ERROR", 500))
    identity = {"id": str(uuid.uuid4()), "timestamp": now(), "service": service, "contractVersion": CONTRACT_VERSION}
    error = {"code": failure.code, "category": category, "severity": "error", "message": failure.message}
    return {**identity, **error, "details": failure.details, "retryable": failure.retryable}
