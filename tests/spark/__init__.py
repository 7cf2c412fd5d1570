"""What needs Java and pyspark (pip extra `spark`)."""
