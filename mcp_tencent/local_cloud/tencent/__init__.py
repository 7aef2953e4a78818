"""Tencent Cloud API 3.0 as the local cloud speaks it: signatures, validation, limits, faults, envelopes."""
