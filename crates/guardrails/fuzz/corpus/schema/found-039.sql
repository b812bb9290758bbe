SOd
0	3
\te=