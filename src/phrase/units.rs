//! Units behind numbers, and how they are said.

/// A unit.
#[derive(Debug)]
pub(super) struct Unit {
    /// As it is written; capitals matter where two units differ by them.
    pub(super) sign: &'static str,
    pub(super) ja: &'static str,
    /// One of it, in English.
    pub(super) one: &'static str,
    /// Many of it.
    pub(super) many: &'static str,
}

const fn unit(sign: &'static str, ja: &'static str, one: &'static str, many: &'static str) -> Unit {
    Unit { sign, ja, one, many }
}

/// Every unit, the longest signs of one beginning anywhere: the longest that fits is taken.
const UNITS: &[Unit] = &[
    unit("%", "パーセント", "percent", "percent"),
    unit("‰", "パーミル", "per mille", "per mille"),
    unit("B", "バイト", "byte", "bytes"),
    unit("KB", "キロバイト", "kilobyte", "kilobytes"),
    unit("kB", "キロバイト", "kilobyte", "kilobytes"),
    unit("MB", "メガバイト", "megabyte", "megabytes"),
    unit("GB", "ギガバイト", "gigabyte", "gigabytes"),
    unit("TB", "テラバイト", "terabyte", "terabytes"),
    unit("PB", "ペタバイト", "petabyte", "petabytes"),
    unit("KiB", "キビバイト", "kibibyte", "kibibytes"),
    unit("MiB", "メビバイト", "mebibyte", "mebibytes"),
    unit("GiB", "ギビバイト", "gibibyte", "gibibytes"),
    unit("TiB", "テビバイト", "tebibyte", "tebibytes"),
    unit("PiB", "ペビバイト", "pebibyte", "pebibytes"),
    unit("Ki", "キビバイト", "kibibyte", "kibibytes"),
    unit("Mi", "メビバイト", "mebibyte", "mebibytes"),
    unit("Gi", "ギビバイト", "gibibyte", "gibibytes"),
    unit("Ti", "テビバイト", "tebibyte", "tebibytes"),
    unit("K", "キロ", "K", "K"),
    unit("k", "キロ", "K", "K"),
    unit("M", "メガ", "mega", "mega"),
    unit("G", "ギガ", "giga", "giga"),
    unit("T", "テラ", "tera", "tera"),
    unit("B/s", "バイト毎秒", "byte per second", "bytes per second"),
    unit("KB/s", "キロバイト毎秒", "kilobyte per second", "kilobytes per second"),
    unit("kB/s", "キロバイト毎秒", "kilobyte per second", "kilobytes per second"),
    unit("MB/s", "メガバイト毎秒", "megabyte per second", "megabytes per second"),
    unit("GB/s", "ギガバイト毎秒", "gigabyte per second", "gigabytes per second"),
    unit("KiB/s", "キビバイト毎秒", "kibibyte per second", "kibibytes per second"),
    unit("MiB/s", "メビバイト毎秒", "mebibyte per second", "mebibytes per second"),
    unit("GiB/s", "ギビバイト毎秒", "gibibyte per second", "gibibytes per second"),
    unit("bps", "ビーピーエス", "bit per second", "bits per second"),
    unit("kbps", "キロビーピーエス", "kilobit per second", "kilobits per second"),
    unit("Kbps", "キロビーピーエス", "kilobit per second", "kilobits per second"),
    unit("Mbps", "メガビーピーエス", "megabit per second", "megabits per second"),
    unit("Gbps", "ギガビーピーエス", "gigabit per second", "gigabits per second"),
    unit("Tbps", "テラビーピーエス", "terabit per second", "terabits per second"),
    unit("kbit/s", "キロビット毎秒", "kilobit per second", "kilobits per second"),
    unit("Mbit/s", "メガビット毎秒", "megabit per second", "megabits per second"),
    unit("Gbit/s", "ギガビット毎秒", "gigabit per second", "gigabits per second"),
    unit("Mb/s", "メガビット毎秒", "megabit per second", "megabits per second"),
    unit("Gb/s", "ギガビット毎秒", "gigabit per second", "gigabits per second"),
    unit("pps", "パケット毎秒", "packet per second", "packets per second"),
    unit("rps", "リクエスト毎秒", "request per second", "requests per second"),
    unit("req/s", "リクエスト毎秒", "request per second", "requests per second"),
    unit("qps", "クエリー毎秒", "query per second", "queries per second"),
    unit("QPS", "クエリー毎秒", "query per second", "queries per second"),
    unit("IOPS", "アイオプス", "I O per second", "I O per second"),
    unit("iops", "アイオプス", "I O per second", "I O per second"),
    unit("fps", "フレーム毎秒", "frame per second", "frames per second"),
    unit("rpm", "回転毎分", "revolution per minute", "revolutions per minute"),
    unit("/s", "毎秒", "per second", "per second"),
    unit("/sec", "毎秒", "per second", "per second"),
    unit("/min", "毎分", "per minute", "per minute"),
    unit("/h", "毎時", "per hour", "per hour"),
    unit("ns", "ナノ秒", "nanosecond", "nanoseconds"),
    unit("us", "マイクロ秒", "microsecond", "microseconds"),
    unit("µs", "マイクロ秒", "microsecond", "microseconds"),
    unit("μs", "マイクロ秒", "microsecond", "microseconds"),
    unit("ms", "ミリ秒", "millisecond", "milliseconds"),
    unit("msec", "ミリ秒", "millisecond", "milliseconds"),
    unit("s", "秒", "second", "seconds"),
    unit("sec", "秒", "second", "seconds"),
    unit("secs", "秒", "second", "seconds"),
    unit("second", "秒", "second", "seconds"),
    unit("seconds", "秒", "second", "seconds"),
    unit("m", "分", "minute", "minutes"),
    unit("min", "分", "minute", "minutes"),
    unit("mins", "分", "minute", "minutes"),
    unit("minute", "分", "minute", "minutes"),
    unit("minutes", "分", "minute", "minutes"),
    unit("h", "時間", "hour", "hours"),
    unit("hr", "時間", "hour", "hours"),
    unit("hrs", "時間", "hour", "hours"),
    unit("hour", "時間", "hour", "hours"),
    unit("hours", "時間", "hour", "hours"),
    unit("d", "日間", "day", "days"),
    unit("day", "日間", "day", "days"),
    unit("days", "日間", "day", "days"),
    unit("w", "週間", "week", "weeks"),
    unit("week", "週間", "week", "weeks"),
    unit("weeks", "週間", "week", "weeks"),
    unit("Hz", "ヘルツ", "hertz", "hertz"),
    unit("kHz", "キロヘルツ", "kilohertz", "kilohertz"),
    unit("MHz", "メガヘルツ", "megahertz", "megahertz"),
    unit("GHz", "ギガヘルツ", "gigahertz", "gigahertz"),
    unit("°C", "度", "degree Celsius", "degrees Celsius"),
    unit("℃", "度", "degree Celsius", "degrees Celsius"),
    unit("°F", "華氏度", "degree Fahrenheit", "degrees Fahrenheit"),
    unit("°", "度", "degree", "degrees"),
    unit("V", "ボルト", "volt", "volts"),
    unit("mV", "ミリボルト", "millivolt", "millivolts"),
    unit("kV", "キロボルト", "kilovolt", "kilovolts"),
    unit("A", "アンペア", "ampere", "amperes"),
    unit("mA", "ミリアンペア", "milliampere", "milliamperes"),
    unit("W", "ワット", "watt", "watts"),
    unit("kW", "キロワット", "kilowatt", "kilowatts"),
    unit("MW", "メガワット", "megawatt", "megawatts"),
    unit("kWh", "キロワット時", "kilowatt hour", "kilowatt hours"),
    unit("VA", "ブイエー", "volt-ampere", "volt-amperes"),
    unit("kVA", "キロブイエー", "kilovolt-ampere", "kilovolt-amperes"),
    unit("dB", "デシベル", "decibel", "decibels"),
    unit("dBm", "ディービーエム", "D B M", "D B M"),
    unit("hPa", "ヘクトパスカル", "hectopascal", "hectopascals"),
    unit("mm", "ミリメートル", "millimetre", "millimetres"),
    unit("cm", "センチメートル", "centimetre", "centimetres"),
    unit("km", "キロメートル", "kilometre", "kilometres"),
    unit("km/h", "キロメートル毎時", "kilometre per hour", "kilometres per hour"),
    unit("mg", "ミリグラム", "milligram", "milligrams"),
    unit("kg", "キログラム", "kilogram", "kilograms"),
    unit("px", "ピクセル", "pixel", "pixels"),
    unit("x", "倍", "times", "times"),
    unit("hits", "ヒット", "hit", "hits"),
];

/// The unit at the beginning of `text`, where it is a whole word, and its length in bytes.
pub(super) fn read(text: &str) -> Option<(&'static Unit, usize)> {
    let fits = |unit: &&Unit| {
        text.strip_prefix(unit.sign).is_some_and(|behind| {
            let mut next = behind.chars();
            match next.next() {
                // `1h30m`: a number may follow the sign of a time.
                Some(c) if c.is_ascii_digit() => unit.is_of_a_span(),
                Some(c) if c.is_ascii_alphabetic() || c == '_' => false,
                Some('/' | '-') => !next.next().is_some_and(|c| c.is_ascii_alphanumeric()),
                _ => true,
            }
        })
    };
    UNITS.iter().filter(fits).max_by_key(|unit| unit.sign.len()).map(|unit| (unit, unit.sign.len()))
}

impl Unit {
    /// Part of a length of time such as `2d4h`.
    pub(super) fn is_of_a_span(&self) -> bool {
        matches!(self.sign, "d" | "h" | "m" | "s" | "min" | "ms")
    }

    /// A bare letter that is a unit only where it touches its number.
    pub(super) fn has_to_touch(&self) -> bool {
        matches!(
            self.sign,
            "K" | "k"
                | "M"
                | "G"
                | "T"
                | "B"
                | "A"
                | "m"
                | "h"
                | "d"
                | "w"
                | "s"
                | "x"
                | "/s"
                | "/sec"
                | "/min"
                | "/h"
                | "hits"
        )
    }
}
