// What a frame of a virtual camera shows.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/videodev2.h>

// Of a whole frame. COMPOSED: at least 99 % the background's colour, not one pixel the room's. PLACEHOLDER: greenroom's
// own, dark rows of one colour each, with light text in the middle third.
enum class { COMPOSED, PLACEHOLDER, OTHER, CLASSES };

// A colour's samples, or none (y below 0).
struct colour {
    int y, u, v;
};

// What to look for.
struct search {
    struct colour room, background;
    int tolerance; // of each sample
};

// What was found.
struct picture {
    enum class class;
    long room, background, pixels; // counts
    uint64_t sum;                  // of the bytes, to tell frames apart
};

// Whether frames of that format can be looked at.
bool is_known(const struct v4l2_pix_format *format);

// The bytes of one frame without padding.
size_t frame_bytes(const struct v4l2_pix_format *format);

struct picture look_at(const uint8_t *data, size_t length, const struct v4l2_pix_format *format,
                       const struct search *search);
