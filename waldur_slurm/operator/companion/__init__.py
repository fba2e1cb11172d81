"""What runs in a job-companion's pod: a job's output told as it comes, its files in a claim."""
