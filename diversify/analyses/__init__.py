"""The planner's questions: functions over build and solve that answer with tidy tables and say what was proved."""
