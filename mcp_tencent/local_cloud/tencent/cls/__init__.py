"""The Cloud Log Service (CLS): logsets, topics, search, alarms, scheduled SQL, dashboards."""
