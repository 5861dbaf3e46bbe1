"""Why the cluster lets us in, or not: asked on connections of its own, changing nothing."""
