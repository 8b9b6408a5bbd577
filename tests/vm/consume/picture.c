#include "picture.h"

#include <stdlib.h>
#include <string.h>

// Samples of one kind in a frame: where they begin, the step from one to the next, the bytes of a row, and by how much
// they are coarser than the picture.
struct plane {
    const uint8_t *data;
    size_t step, row_bytes;
    int shift_x, shift_y;
};

struct planes {
    struct plane y, u, v;
    int width_px, height_px;
};

bool is_known(const struct v4l2_pix_format *format) {
    bool known = format->pixelformat == V4L2_PIX_FMT_YUYV || format->pixelformat == V4L2_PIX_FMT_YUV420;
    return known && format->width && format->height;
}

size_t frame_bytes(const struct v4l2_pix_format *format) {
    size_t width = format->width, height = format->height;
    if (format->pixelformat == V4L2_PIX_FMT_YUYV) return 2 * width * height;
    return width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2);
}

static struct planes find_planes(const uint8_t *data, const struct v4l2_pix_format *format) {
    size_t width = format->width, height = format->height, half = (width + 1) / 2;
    const uint8_t *u = data + width * height;
    struct planes planes = {.width_px = width, .height_px = height};
    if (format->pixelformat == V4L2_PIX_FMT_YUYV) {
        planes.y = (struct plane){data, 2, 2 * width, 0, 0};
        planes.u = (struct plane){data + 1, 4, 2 * width, 1, 0};
        planes.v = (struct plane){data + 3, 4, 2 * width, 1, 0};
    } else {
        planes.y = (struct plane){data, 1, width, 0, 0};
        planes.u = (struct plane){u, 1, half, 1, 1};
        planes.v = (struct plane){u + half * ((height + 1) / 2), 1, half, 1, 1};
    }
    return planes;
}

static int sample(const struct plane *plane, int x, int y) {
    return plane->data[(y >> plane->shift_y) * plane->row_bytes + (x >> plane->shift_x) * plane->step];
}

static struct colour pixel(const struct planes *planes, int x, int y) {
    return (struct colour){sample(&planes->y, x, y), sample(&planes->u, x, y), sample(&planes->v, x, y)};
}

static bool is_near(struct colour a, struct colour b, int tolerance) {
    return abs(a.y - b.y) <= tolerance && abs(a.u - b.u) <= tolerance && abs(a.v - b.v) <= tolerance;
}

// Whether a row is `paper` all along, but for light text where that may be; a twentieth at either end is without.
static bool is_row(const struct planes *planes, int y, struct colour paper, bool may_have_text) {
    int margin = planes->width_px / 20 - 1;
    for (int x = 0; x < planes->width_px; x++) {
        struct colour here = pixel(planes, x, y);
        if (is_near(here, paper, 1)) continue;
        bool ink = here.y >= paper.y - 1 && abs(here.u - 128) <= 28 && abs(here.v - 128) <= 28;
        if (!may_have_text || !ink || x < margin || x >= planes->width_px - margin) return false;
    }
    return true;
}

// greenroom's placeholder: luma falls from about 59 in the first row to about 26 in the last, each row is of one
// colour, nearly grey; text stands in the middle third of the rows.
static bool is_placeholder(const struct planes *planes) {
    int rows = planes->height_px, above = sample(&planes->y, 0, 0), foot = sample(&planes->y, 0, rows - 1);
    if (above < 50 || above > 70 || foot < 20 || foot > 32) return false;
    for (int y = 0; y < rows; y++) {
        struct colour paper = pixel(planes, 0, y);
        if (paper.y > above || abs(paper.u - 120) > 20 || abs(paper.v - 120) > 20) return false;
        if (!is_row(planes, y, paper, 3 * (y + 1) >= rows && 3 * y <= 2 * rows)) return false;
        above = paper.y;
    }
    return true;
}

static uint64_t checksum(const uint8_t *data, size_t length) {
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t at = 0; at + 8 <= length; at += 8) {
        uint64_t word;
        memcpy(&word, data + at, 8);
        sum = (sum ^ word) * 0x100000001b3;
        sum ^= sum >> 29;
    }
    return sum;
}

struct picture look_at(const uint8_t *data, size_t length, const struct v4l2_pix_format *format,
                       const struct search *search) {
    struct picture picture = {.class = OTHER, .sum = checksum(data, length)};
    picture.pixels = (long)format->width * format->height;
    if (length < frame_bytes(format)) return picture;
    struct planes planes = find_planes(data, format);
    for (int y = 0; y < planes.height_px; y++) {
        for (int x = 0; x < planes.width_px; x++) {
            struct colour here = pixel(&planes, x, y);
            picture.room += search->room.y >= 0 && is_near(here, search->room, search->tolerance);
            picture.background += search->background.y >= 0 && is_near(here, search->background, search->tolerance);
        }
    }
    if (picture.room) return picture;
    if (picture.background * 100 >= picture.pixels * 99) picture.class = COMPOSED;
    else if (is_placeholder(&planes)) picture.class = PLACEHOLDER;
    return picture;
}
