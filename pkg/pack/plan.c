#include "pack/plan.h"

#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/parse.h"
#include "os/file.h"

static bool fits(const struct hf_plan_way *way, const struct hf_plan_room *room)
{
    return way->memory_bytes <= room->memory_bytes && way->disk_bytes <= room->disk_bytes;
}

static bool better(const struct hf_plan_way *a, const struct hf_plan_way *b)
{
    if (a->fetch_bytes != b->fetch_bytes)
        return a->fetch_bytes < b->fetch_bytes;
    if (a->steps != b->steps)
        return a->steps < b->steps;
    if (a->memory_bytes != b->memory_bytes)
        return a->memory_bytes < b->memory_bytes;
    return a->disk_bytes < b->disk_bytes;
}

size_t hf_plan_choose(const struct hf_plan_way *ways, size_t n, const struct hf_plan_room *room)
{
    size_t best = n;

    for (size_t i = 0; i < n; i++)
        if (fits(&ways[i], room) && (best == n || better(&ways[i], &ways[best])))
            best = i;
    return best;
}

bool hf_plan_is_of_use(const struct hf_plan_way *ways, size_t n, size_t i)
{
    const struct hf_plan_way *way = &ways[i];

    for (size_t k = 0; k < n; k++) {
        const struct hf_plan_way *other = &ways[k];
        bool no_worse = other->fetch_bytes <= way->fetch_bytes && other->memory_bytes <= way->memory_bytes &&
                        other->disk_bytes <= way->disk_bytes && other->steps <= way->steps;
        bool same = other->fetch_bytes == way->fetch_bytes && other->memory_bytes == way->memory_bytes &&
                    other->disk_bytes == way->disk_bytes && other->steps == way->steps;
        if (k != i && no_worse && (!same || k < i))
            return false;
    }
    return true;
}

struct hf_plan_way hf_plan_chain(const struct hf_plan_way *first, const struct hf_plan_way *second,
                                 uint64_t between_bytes)
{
    return (struct hf_plan_way){.fetch_bytes = first->fetch_bytes + second->fetch_bytes,
                                .memory_bytes = HF_MAX(first->memory_bytes, second->memory_bytes),
                                .disk_bytes = between_bytes + HF_MAX(first->disk_bytes, second->disk_bytes),
                                .steps = first->steps + second->steps};
}

/* ---- memory --------------------------------------------------------------------------------------------------------- */

/* The first number in a small file, or behind `label` in it. */
static bool read_number(const struct hf_fs_ops *fs, const char *path, const char *label, uint64_t *ret_value)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16384);
    char digits[24];
    struct hf_err ignored;

    if (hf_file_read(fs, path, &text, &ignored) < 0)
        return false;
    const char *p = hf_buf_str(&text);
    if (label != NULL) {
        p = strstr(p, label);
        if (p == NULL)
            return false;
        p += strlen(label);
        p += strspn(p, " \t");
    }
    size_t n = strspn(p, "0123456789");
    if (n == 0 || n >= sizeof(digits))
        return false; /* "max" */
    memcpy(digits, p, n);
    digits[n] = '\0';
    return hf_parse_u64(digits, 0, UINT64_MAX, ret_value) == 0;
}

uint64_t hf_plan_memory(const struct hf_fs_ops *fs)
{
    static const char *const groups[][2] = {
        {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
    };
    uint64_t room = UINT64_MAX, max, used;

    if (read_number(fs, "/proc/meminfo", "MemAvailable:", &max) && max < UINT64_MAX / 1024)
        room = max * 1024 / 2;
    for (size_t i = 0; i < HF_LEN(groups); i++)
        if (read_number(fs, groups[i][0], NULL, &max) && read_number(fs, groups[i][1], NULL, &used))
            room = HF_MIN(room, max > used ? (max - used) / 2 : 0);
    return room;
}
