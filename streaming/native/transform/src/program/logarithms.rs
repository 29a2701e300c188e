//! `ln` and `log1p` as fdlibm computes them, bit for bit: Spark calls Java's StrictMath, which is fdlibm.
//!
//! The algorithms and their constants are those of fdlibm 5.3's `e_log.c` and `s_log1p.c`:
//! Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc.
//! business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this
//! notice is preserved.
//!
//! No step may be fused or reordered: every rounding is part of the result.

const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
const TWO_54: f64 = 18_014_398_509_481_984.0;
/// The polynomial in s² that stands for (log(1 + f) - 2s) / s, where s = f / (2 + f).
const L: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];

fn high(x: f64) -> i32 {
    (x.to_bits() >> 32) as i32
}

fn with_high(x: f64, high: i32) -> f64 {
    f64::from_bits(u64::from(high as u32) << 32 | x.to_bits() & 0xffff_ffff)
}

/// The natural logarithm; -infinity at zero, NaN below.
pub(super) fn ln(mut x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < 0.0 || !x.is_finite() {
        return if x < 0.0 { f64::NAN } else { x };
    }
    let mut k = 0;
    if high(x) < 0x0010_0000 {
        k -= 54; // subnormal: scale up
        x *= TWO_54;
    }
    k += (high(x) >> 20) - 1023;
    let mantissa = high(x) & 0x000f_ffff;
    let above = (mantissa + 0x95f64) & 0x0010_0000; // set where x / 2^k exceeds sqrt(2)
    x = with_high(x, mantissa | (above ^ 0x3ff0_0000));
    k += above >> 20;
    let f = x - 1.0;
    let k = f64::from(k);
    if 0x000f_ffff & (2 + mantissa) < 3 {
        return ln_near_one(f, k);
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let odd = w * (L[1] + w * (L[3] + w * L[5]));
    let even = z * (L[0] + w * (L[2] + w * (L[4] + w * L[6])));
    let r = even + odd;
    if (mantissa - 0x6147a) | (0x6b851 - mantissa) > 0 {
        let half_square = 0.5 * f * f;
        if k == 0.0 {
            return f - (half_square - s * (half_square + r));
        }
        return k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f);
    }
    if k == 0.0 {
        return f - s * (f - r);
    }
    k * LN2_HIGH - ((s * (f - r) - k * LN2_LOW) - f)
}

/// ln(2^k (1 + f)) where |f| < 2^-20.
fn ln_near_one(f: f64, k: f64) -> f64 {
    if f == 0.0 {
        return if k == 0.0 {
            0.0
        } else {
            k * LN2_HIGH + k * LN2_LOW
        };
    }
    let r = f * f * (0.5 - 0.333_333_333_333_333_3 * f);
    if k == 0.0 {
        f - r
    } else {
        k * LN2_HIGH - ((r - k * LN2_LOW) - f)
    }
}

/// ln(1 + x), exact near zero; -infinity at -1, NaN below.
pub(super) fn log1p(x: f64) -> f64 {
    if x <= -1.0 {
        return if x == -1.0 {
            f64::NEG_INFINITY
        } else {
            f64::NAN
        };
    }
    if !x.is_finite() {
        return x;
    }
    let size = high(x) & 0x7fff_ffff;
    if size < 0x3e20_0000 {
        return if size < 0x3c90_0000 {
            x
        } else {
            x - x * x * 0.5
        };
    }
    let x_high = high(x);
    if x_high < 0x3fda_827a && (x_high > 0 || x_high <= 0xbfd2_bec3_u32 as i32) {
        return log1p_reduced(x, 1, 0, 0.0); // 1 + x already lies between sqrt(1/2) and sqrt(2)
    }
    let (u, correction, k) = if x_high < 0x4340_0000 {
        let u = 1.0 + x;
        let k = (high(u) >> 20) - 1023;
        let lost = if k > 0 { 1.0 - (u - x) } else { x - (u - 1.0) };
        (u, lost / u, k)
    } else {
        (x, 0.0, (x_high >> 20) - 1023)
    };
    let mantissa = high(u) & 0x000f_ffff;
    if mantissa < 0x6a09e {
        return log1p_reduced(
            with_high(u, mantissa | 0x3ff0_0000) - 1.0,
            mantissa,
            k,
            correction,
        );
    }
    let f = with_high(u, mantissa | 0x3fe0_0000) - 1.0;
    log1p_reduced(f, (0x0010_0000 - mantissa) >> 2, k + 1, correction)
}

/// ln(2^k (1 + f)) + `correction`; `far` is 0 where |f| < 2^-20.
fn log1p_reduced(f: f64, far: i32, k: i32, mut correction: f64) -> f64 {
    let half_square = 0.5 * f * f;
    let k = f64::from(k);
    if far == 0 {
        if f == 0.0 {
            correction += k * LN2_LOW;
            return if k == 0.0 {
                0.0
            } else {
                k * LN2_HIGH + correction
            };
        }
        let r = half_square * (1.0 - 0.666_666_666_666_666_6 * f);
        if k == 0.0 {
            return f - r;
        }
        return k * LN2_HIGH - ((r - (k * LN2_LOW + correction)) - f);
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * (L[0] + z * (L[1] + z * (L[2] + z * (L[3] + z * (L[4] + z * (L[5] + z * L[6]))))));
    if k == 0.0 {
        return f - (half_square - s * (half_square + r));
    }
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + (k * LN2_LOW + correction))) - f)
}
