#include "node/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/timex.h>

#include "base/format.h"
#include "base/parse.h"
#include "codec/json.h"

/* Returns the floor plus the time since it was set. */
static uint64_t now_floor(const struct hf_clock_floor *floor)
{
    return floor->floor_unix_ns + (hf_mono_ns(floor->wall) - floor->floor_mono_ns);
}

static uint64_t now_unix(const struct hf_clock_floor *floor)
{
    return HF_MAX(hf_unix_ns(floor->wall), now_floor(floor));
}

static void raise(struct hf_clock_floor *floor, uint64_t unix_ns)
{
    floor->floor_unix_ns = unix_ns;
    floor->floor_mono_ns = hf_mono_ns(floor->wall);
}

static uint64_t floor_mono(void *ctx)
{
    const struct hf_clock_floor *floor = ctx;

    return hf_mono_ns(floor->wall);
}

static uint64_t floor_unix(void *ctx)
{
    struct hf_clock_floor *floor = ctx;
    uint64_t now = now_unix(floor);

    if (now - floor->floor_unix_ns <= HF_CLOCK_FLOOR_LEAP_NS)
        raise(floor, now);
    return now;
}

void hf_clock_floor_init(struct hf_clock_floor *floor, const struct hf_clock_ops *wall, uint64_t kept_unix_ns)
{
    *floor = (struct hf_clock_floor){
        .wall = wall,
        .floor_unix_ns = HF_MAX(kept_unix_ns, HF_CLOCK_BUILD_UNIX_NS),
        .floor_mono_ns = hf_mono_ns(wall),
        .ops = {.ctx = floor, .mono_ns = floor_mono, .unix_ns = floor_unix},
    };
}

const struct hf_clock_ops *hf_clock_floor_ops(struct hf_clock_floor *floor)
{
    return &floor->ops;
}

void hf_clock_floor_witness(struct hf_clock_floor *floor, uint64_t server_unix_ns, uint64_t max_skew_ns)
{
    uint64_t wall = hf_unix_ns(floor->wall);
    uint64_t distance = wall > server_unix_ns ? wall - server_unix_ns : server_unix_ns - wall;

    if (distance <= max_skew_ns && wall > now_floor(floor))
        raise(floor, wall);
    else if (server_unix_ns > now_unix(floor) + max_skew_ns)
        raise(floor, server_unix_ns - max_skew_ns);
}

enum hf_clock_ntp hf_clock_ntp_read(void)
{
    struct timex state = {.modes = 0};
    int r = adjtimex(&state);

    if (r < 0)
        return HF_CLOCK_NTP_UNKNOWN;
    return r == TIME_ERROR || (state.status & STA_UNSYNC) != 0 ? HF_CLOCK_NTP_UNSYNCHRONIZED
                                                               : HF_CLOCK_NTP_SYNCHRONIZED;
}

void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns)
{
    skew->known = true;
    skew->server_unix_ns = date_unix_ns + HF_NS_PER_S / 2; /* the header has no fractions */
    skew->at_mono_ns = mono_ns;
}

int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns)
{
    return skew->known ? (int64_t)(skew->server_unix_ns + (mono_ns - skew->at_mono_ns) - unix_ns) : 0;
}

bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns)
{
    int64_t offset = hf_clock_skew_offset_ns(skew, mono_ns, unix_ns);
    uint64_t distance = offset < 0 ? (uint64_t)-offset : (uint64_t)offset;

    skew->exceeded = distance > (skew->exceeded ? max_skew_ns / 5 * 4 : max_skew_ns);
    return skew->exceeded;
}

int hf_clock_file_format(const struct hf_clock_file *file, struct hf_buf *out)
{
    char newest[HF_TIME_TEXT], contact[HF_TIME_TEXT];
    int r = hf_buf_addf(out, "{\"format\":1,\"newest\":\"%s\"", hf_format_time(file->newest_unix_ns, newest));

    if (r == 0 && file->contact_unix_ns != 0)
        r = hf_buf_addf(out, ",\"contact\":\"%s\"", hf_format_time(file->contact_unix_ns, contact));
    return r == 0 ? hf_buf_add_str(out, "}\n") : r;
}

static int time_at(const json_t *root, const char *key, uint64_t *ret_unix_ns)
{
    const char *text = hf_json_str(root, key);

    return text == NULL ? 0 : hf_parse_time(text, ret_unix_ns);
}

int hf_clock_file_parse(struct hf_view text, struct hf_clock_file *ret_file, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_clock_file file = {0};
    int r = hf_json_parse(text, NULL, &root, err);

    if (r < 0)
        return r;
    if (hf_json_int_or(root, "format", 0) != 1)
        return hf_err_set(err, EBADMSG, "unknown format of the clock file");
    if (time_at(root, "newest", &file.newest_unix_ns) < 0 || time_at(root, "contact", &file.contact_unix_ns) < 0)
        return hf_err_set(err, EBADMSG, "a time in the clock file is not an RFC 3339 date");
    *ret_file = file;
    return 0;
}
