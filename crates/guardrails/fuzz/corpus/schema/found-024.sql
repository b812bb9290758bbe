CR












