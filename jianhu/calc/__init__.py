"""``jianhu calc``: tables that people have, judged without Kafka."""
