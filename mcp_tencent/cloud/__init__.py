"""Adapters to the real cloud: Tencent Cloud API 3.0 through its SDK, Kubernetes through lightkube."""
