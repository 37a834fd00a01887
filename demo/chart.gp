# Draws docs/chart.svg: gnuplot -e "account='CODE'; data='DIRECTORY'; target='FILE.svg'". See chart.sh.
set terminal svg size 1000,480 enhanced font 'sans-serif,12' background '#ffffff'
set output target
set datafile separator '\t'
set xdata time
set timefmt '%s'
set format x '%Y-%m'
set xrange ['1356998400':'1451606400']
set xtics 7889400
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
set style fill solid 0.9 noborder
set multiplot

set title account.', USD' noenhanced
set lmargin at screen 0.075; set rmargin at screen 0.965
set tmargin at screen 0.92; set bmargin at screen 0.45
set format x ''
unset key
set ylabel 'balance'
plot data.'/days.dat' using 1:2 with steps lc rgb '#1b6ca8' lw 1.5

unset title
set tmargin at screen 0.40; set bmargin at screen 0.09
set format x '%Y-%m'
set key at screen 0.965,0.43 right horizontal
set ylabel 'in a month'
set boxwidth 1900000
set xzeroaxis lc rgb '#888888'
plot data.'/months.dat' using ($1-1300000):3 with boxes lc rgb '#6b8e23' title 'debits', \
     data.'/months.dat' using ($1-1300000):4 with boxes lc rgb '#e08e0b' title 'credits'
unset multiplot
