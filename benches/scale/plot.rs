//! The curves as one picture: cost to the first value, each curve in a small panel of its own.

use std::fmt::Write;

use crate::curves::Point;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 150.0;
/// Costs from none to twice the first value fit.
const TOP: f64 = 2.0;

/// Returns an SVG.
pub(crate) fn draw(curves: &[(&str, Vec<Point>)]) -> String {
    let rows = curves.len().div_ceil(2);
    let mut svg = String::new();
    let (wide, high) = (2.0 * (WIDTH + 70.0), (HEIGHT + 70.0) * whole(rows));
    write!(
        svg,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {wide} {high}' font-family='sans-serif' font-size='11'>\
         <rect width='100%' height='100%' fill='white'/>"
    )
    .unwrap();
    for (number, (name, points)) in curves.iter().enumerate() {
        let left = 50.0 + whole(number % 2) * (WIDTH + 70.0);
        let top = 30.0 + whole(number / 2) * (HEIGHT + 70.0);
        panel(&mut svg, (left, top), name, points);
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, (left, top): (f64, f64), name: &str, points: &[Point]) {
    let across = |number: usize| left + WIDTH * whole(number) / whole(points.len().max(2) - 1);
    let down = |cost: f64| top + HEIGHT * (1.0 - (cost / TOP).min(1.0));
    write!(svg, "<text x='{left}' y='{}' font-weight='bold'>{name}</text>", top - 10.0).unwrap();
    for share in [0.0, 0.5, 1.0, 1.5, 2.0] {
        let y = down(share);
        write!(
            svg,
            "<line x1='{left}' x2='{}' y1='{y}' y2='{y}' stroke='#ddd'/>\
             <text x='{}' y='{}' text-anchor='end'>{share}×</text>",
            left + WIDTH,
            left - 6.0,
            y + 4.0
        )
        .unwrap();
    }
    let mut line = String::new();
    for (number, point) in points.iter().enumerate() {
        let (x, y) = (across(number), down(point.micros / points[0].micros));
        write!(line, "{x:.1},{y:.1} ").unwrap();
        write!(
            svg,
            "<circle cx='{x:.1}' cy='{y:.1}' r='3' fill='#0a6'/>\
             <text x='{x:.1}' y='{:.1}' text-anchor='middle'>{:.1} µs</text>\
             <text x='{x:.1}' y='{:.1}' text-anchor='middle' fill='#555'>{}</text>",
            y - 8.0,
            point.micros,
            top + HEIGHT + 16.0,
            point.value
        )
        .unwrap();
    }
    write!(svg, "<polyline points='{line}' fill='none' stroke='#0a6' stroke-width='2'/>").unwrap();
}

fn whole(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}
