"""CLS, TKE and Monitor through the asynchronous clients of the Tencent Cloud SDK."""
