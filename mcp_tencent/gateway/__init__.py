"""The policy around every tool call: who may, once only, in time, nothing secret out, all of it on record."""
