"""What makes the cluster become what its objects ask for: rollouts, scheduling, scaling, tidying up."""
