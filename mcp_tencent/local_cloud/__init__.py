"""One process that imitates Tencent Cloud (CLS, TKE, Monitor) and the Kubernetes API of its clusters."""
