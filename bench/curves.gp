# Draws one of the benchmark's curves: gnuplot -e "curve='clients' or 'batches'; data='DIRECTORY'; target='FILE.svg'".
set terminal svg size 1000,(curve eq 'clients' ? 380 : 480) enhanced font 'sans-serif,12' background '#ffffff'
set output target
set datafile separator '\t'
set datafile missing '?'
set key autotitle columnheader noenhanced
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
set style line 1 lc rgb '#1b6ca8' lw 2.5 pt 7 ps 0.7
set style line 2 lc rgb '#e08e0b' lw 2 pt 5 ps 0.6
set style line 3 lc rgb '#6b8e23' lw 2 pt 9 ps 0.7
set style line 4 lc rgb '#888888' lw 2 dt 2 pt 11 ps 0.7

if (curve eq 'clients') {
    set multiplot layout 1,3 margins screen 0.085, 0.81, 0.15, 0.88 spacing screen 0.06
    set key at screen 0.99, 0.7 right top vertical
    set logscale x 2
    set xlabel 'clients'
    set xtics (1, 2, 4, 8, 16, 32, 64)
    do for [i = 1:3] {
        set title (i == 1 ? '10,000 accounts' : i == 2 ? '50 accounts' : 'all into one account') noenhanced
        set ylabel (i == 1 ? 'postings per second, durable' : '')
        if (i > 1) { unset key }
        plot [0.9:] [0:] for [k = 2:5] sprintf('%s/clients-%d.dat', data, i) using 1:k with linespoints ls k-1
    }
    unset multiplot
} else {
    set title 'Postings in one call, one client' noenhanced
    set logscale xy
    set xlabel 'postings per batch'
    set ylabel 'postings per second, durable'
    set xtics (10, 100, 1000, 8189)
    set key bottom right
    plot [8:10000] for [k = 2:5] sprintf('%s/batches.dat', data) using 1:k with linespoints ls k-1
}
