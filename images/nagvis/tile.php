<?php
// The world map's ground where no tile server is configured: tile x, y of zoom z as SVG, with land, borders and a grid.
// Drawn on demand, because tiles of all zooms would be millions.

const SIZE = 256;
// Beyond the tile's edge, so that outlines along the cut are not seen.
const MARGIN = 4;
// Pixels between points that are worth drawing.
const STEP = 0.6;
const GRID_DEGREES = [2 => 30, 3 => 30, 4 => 10, 5 => 10, 6 => 5];

/** Points (x, y, x, y, ...) in pixels of the tile. */
function pixels(array $shape, float $scale, float $left, float $top): array {
    $result = [];
    $last_x = $last_y = -INF;
    for ($i = 4, $end = count($shape); $i < $end; $i += 2) {
        $x = ($shape[$i] - $left) * $scale;
        $y = ($shape[$i + 1] - $top) * $scale;
        if (abs($x - $last_x) < STEP && abs($y - $last_y) < STEP)
            continue;
        $result[] = $last_x = $x;
        $result[] = $last_y = $y;
    }
    return $result;
}

/** The part of a polygon on one side of a line (Sutherland and Hodgman): where sign * (coordinate - edge) >= 0. */
function cut(array $points, int $axis, float $edge, int $sign): array {
    $result = [];
    $count = count($points);
    if ($count === 0)
        return $result;
    $from = [$points[$count - 2], $points[$count - 1]];
    $from_inside = $sign * ($from[$axis] - $edge) >= 0;
    for ($i = 0; $i < $count; $i += 2) {
        $to = [$points[$i], $points[$i + 1]];
        $to_inside = $sign * ($to[$axis] - $edge) >= 0;
        if ($from_inside !== $to_inside) {
            $share = ($edge - $from[$axis]) / ($to[$axis] - $from[$axis]);
            $result[] = $from[0] + $share * ($to[0] - $from[0]);
            $result[] = $from[1] + $share * ($to[1] - $from[1]);
        }
        if ($to_inside) {
            $result[] = $to[0];
            $result[] = $to[1];
        }
        $from = $to;
        $from_inside = $to_inside;
    }
    return $result;
}

function cut_to_tile(array $points): array {
    foreach ([0, 1] as $axis)
        $points = cut(cut($points, $axis, -MARGIN, 1), $axis, SIZE + MARGIN, -1);
    return $points;
}

/** Those segments of a line that may touch the tile, as lines. */
function segments_of_tile(array $points): array {
    $lines = [];
    $line = [];
    for ($i = 0, $end = count($points) - 2; $i < $end; $i += 2) {
        [$x, $y, $next_x, $next_y] = array_slice($points, $i, 4);
        $touches = max($x, $next_x) >= -MARGIN && min($x, $next_x) <= SIZE + MARGIN
            && max($y, $next_y) >= -MARGIN && min($y, $next_y) <= SIZE + MARGIN;
        if ($touches) {
            array_push($line, ...($line === [] ? [$x, $y, $next_x, $next_y] : [$next_x, $next_y]));
        } elseif ($line !== []) {
            $lines[] = $line;
            $line = [];
        }
    }
    if ($line !== [])
        $lines[] = $line;
    return $lines;
}

function path(array $points, string $end): string {
    if ($points === [])
        return '';
    return 'M' . implode(' ', array_map(fn($number) => round($number, 1), $points)) . $end;
}

function grid(int $z, float $scale, float $left, float $top): string {
    $step = GRID_DEGREES[$z] ?? ($z > 6 ? 1 : 30);
    $path = '';
    for ($longitude = -180; $longitude <= 180; $longitude += $step) {
        $x = round((($longitude + 180) / 360 - $left) * $scale, 1);
        if ($x >= 0 && $x <= SIZE)
            $path .= "M$x 0V" . SIZE;
    }
    for ($latitude = -80; $latitude <= 80; $latitude += $step === 30 ? 20 : $step) {
        $y = round(((1 - asinh(tan(deg2rad($latitude))) / M_PI) / 2 - $top) * $scale, 1);
        if ($y >= 0 && $y <= SIZE)
            $path .= "M0 {$y}H" . SIZE;
    }
    return $path;
}

function tile(int $z, int $x, int $y): string {
    $ground = require __DIR__ . '/ground.php';
    $tiles = 2 ** $z;
    $left = $x / $tiles;
    $top = $y / $tiles;
    $scale = SIZE * $tiles;
    $touches = fn(array $shape) => $shape[2] >= $left && $shape[0] <= $left + 1 / $tiles
        && $shape[3] >= $top && $shape[1] <= $top + 1 / $tiles;
    $land = $borders = '';
    foreach (array_filter($ground['land'], $touches) as $ring)
        $land .= path(cut_to_tile(pixels($ring, $scale, $left, $top)), 'Z');
    foreach (array_filter($ground['borders'], $touches) as $line)
        foreach (segments_of_tile(pixels($line, $scale, $left, $top)) as $part)
            $borders .= path($part, '');
    $grid = grid($z, $scale, $left, $top);
    return '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256" viewBox="0 0 256 256">'
        . '<rect width="256" height="256" fill="#dbe7ef"/>'
        . "<path d=\"$land\" fill=\"#f6f4ee\" fill-rule=\"evenodd\" stroke=\"#9fb0bb\" stroke-width=\".8\"/>"
        . "<path d=\"$borders\" fill=\"none\" stroke=\"#c9c3b4\" stroke-width=\".8\"/>"
        . "<path d=\"$grid\" fill=\"none\" stroke=\"#7d93a3\" stroke-opacity=\".22\" stroke-width=\".8\"/>"
        . '</svg>';
}

function main(): void {
    if (!preg_match('#^/(\d{1,2})/(\d{1,7})/(\d{1,7})\.svg$#', $_SERVER['PATH_INFO'] ?? '', $numbers)) {
        http_response_code(404);
        return;
    }
    header('Content-Type: image/svg+xml');
    header('Cache-Control: private, max-age=86400');
    echo tile((int) $numbers[1], (int) $numbers[2], (int) $numbers[3]);
}

main();
