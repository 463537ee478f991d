//! The cities that vehicles drive in, and the flat map of each.

/// Metres of one degree of latitude.
const METERS_PER_DEGREE: f64 = 111_320.0;

/// A city: where it lies, and which way its streets run.
#[derive(Debug)]
pub(super) struct City {
    /// As device ids write it.
    pub(super) name: &'static str,
    /// Of its centre, degrees north.
    pub(super) lat: f64,
    /// Of its centre, degrees east.
    pub(super) lon: f64,
    /// Of its ground, metres.
    pub(super) altitude_meters: f64,
    /// Of the streets that run up its grid, degrees clockwise from north, 0..45.
    pub(super) bearing_degrees: f64,
}

/// A point of a city's flat map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Metres east of the centre.
    pub(super) east: f64,
    /// Metres north of the centre.
    pub(super) north: f64,
}

impl Point {
    /// The point that many metres further along a direction.
    pub(super) fn plus(self, meters: f64, direction: Point) -> Point {
        Point { east: self.east + meters * direction.east, north: self.north + meters * direction.north }
    }
}

const fn city(name: &'static str, lat: f64, lon: f64, altitude_meters: f64, bearing_degrees: f64) -> City {
    City { name, lat, lon, altitude_meters, bearing_degrees }
}

/// Twelve cities of both hemispheres, far from the poles and from the date line.
pub(super) const CITIES: [City; 12] = [
    city("lisbon", 38.7223, -9.1393, 45.0, 12.0),
    city("new-york", 40.7128, -74.0060, 10.0, 29.0),
    city("tokyo", 35.6762, 139.6503, 40.0, 38.0),
    city("nairobi", -1.2921, 36.8219, 1_795.0, 21.0),
    city("sao-paulo", -23.5505, -46.6333, 760.0, 43.0),
    city("berlin", 52.5200, 13.4050, 34.0, 5.0),
    city("sydney", -33.8688, 151.2093, 58.0, 8.0),
    city("san-francisco", 37.7749, -122.4194, 16.0, 9.0),
    city("delhi", 28.6139, 77.2090, 216.0, 17.0),
    city("london", 51.5074, -0.1278, 11.0, 33.0),
    city("dubai", 25.2048, 55.2708, 5.0, 41.0),
    city("auckland", -36.8485, 174.7633, 26.0, 26.0),
];

impl City {
    /// Latitude and longitude of a point of the map, degrees, to a centimetre: finer digits are noise, and the last
    /// ones would hang on the machine.
    pub(super) fn degrees(&self, point: Point) -> (f64, f64) {
        let to_centimeters = |degrees: f64| super::random::to_parts(degrees, 1e7);
        let lat = self.lat + point.north / METERS_PER_DEGREE;
        let lon = self.lon + point.east / (METERS_PER_DEGREE * sine_and_cosine(self.lat).1);
        (to_centimeters(lat), to_centimeters(lon))
    }

    /// The point of the map at a latitude and longitude, degrees.
    #[cfg(test)]
    pub(super) fn point(&self, lat: f64, lon: f64) -> Point {
        Point {
            east: (lon - self.lon) * METERS_PER_DEGREE * sine_and_cosine(self.lat).1,
            north: (lat - self.lat) * METERS_PER_DEGREE,
        }
    }
}

/// Sine and cosine of an angle within -90..90 degrees by their series, whose sums every machine agrees on; a platform's
/// own functions do not promise that.
pub(super) fn sine_and_cosine(degrees: f64) -> (f64, f64) {
    let square = -(degrees.to_radians() * degrees.to_radians());
    let (mut sine, mut cosine) = (degrees.to_radians(), 1.0);
    let (mut sine_term, mut cosine_term) = (sine, cosine);
    for n in 1..=10 {
        let even = f64::from(2 * n);
        cosine_term *= square / (even * (even - 1.0));
        sine_term *= square / (even * (even + 1.0));
        cosine += cosine_term;
        sine += sine_term;
    }
    (sine, cosine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_agree_with_the_platform() {
        for degrees in -90..=90 {
            let (sine, cosine) = sine_and_cosine(f64::from(degrees));
            let angle = f64::from(degrees).to_radians();
            assert!((sine - angle.sin()).abs() < 1e-12 && (cosine - angle.cos()).abs() < 1e-12, "{degrees}");
        }
    }

    #[test]
    fn a_point_comes_back() {
        for city in &CITIES {
            let (lat, lon) = city.degrees(Point { east: 1_500.0, north: -700.0 });
            let back = city.point(lat, lon);
            assert!((back.east - 1_500.0).abs() < 0.02 && (back.north + 700.0).abs() < 0.02, "{} {back:?}", city.name);
        }
    }
}
