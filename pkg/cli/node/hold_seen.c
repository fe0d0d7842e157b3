/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/node/hold_seen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/asprintf.h"
#include "base/format.h"
#include "cli/plain.h"
#include "node/clock.h"
#include "os/file.h"
#include "sync/hold_age.h"

/* A command has no witness but the wall clock. */
static struct hf_hold_clocks read_clocks(const struct hf_cli *cli)
{
    uint64_t wall = hf_unix_ns(cli->clock);

    return (struct hf_hold_clocks){
        .mono_ns = hf_mono_ns(cli->clock),
        .build_unix_ns = HF_TIME_BUILD_UNIX_NS,
        .wall_unix_ns = wall,
        .range = {.agreement = HF_TIME_ALONE, .estimate_unix_ns = wall, .other_unix_ns = wall},
        .sure = hf_clock_sync_error_ns(cli->clock) <= HF_TIME_SYNC_ERROR_MAX_NS,
    };
}

/* What the agent has saved about a hold; an unreadable file has nothing. */
static struct hf_hold_kept read_kept(struct hf_cli *cli, const char *state)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/clock", state);
    struct hf_clock_file file = {0};
    char boot[HF_FILE_ID];

    if (path == NULL || hf_file_read(cli->fs, path, &text, NULL) < 0 ||
        hf_clock_file_parse(hf_buf_view(&text), &file, NULL) < 0)
        return (struct hf_hold_kept){0};
    hf_file_boot_id(cli->fs, boot);
    bool known = boot[0] != '\0' && file.boot[0] != '\0';
    return (struct hf_hold_kept){.id = file.hold_id,
                                 .age_ns = file.hold_age_ns,
                                 .began_unix_ns = file.hold_began_unix_ns,
                                 .track_unix_ns = file.track_unix_ns,
                                 .saved_mono_ns = file.saved_mono_ns,
                                 .same_boot = known && strcmp(boot, file.boot) == 0,
                                 .boot_unknown = !known};
}

static uint64_t written_unix_ns(struct hf_cli *cli, const char *path)
{
    struct stat st = {0};

    (void)cli->fs->fstatat(cli->fs->ctx, AT_FDCWD, path, &st, 0);
    return (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
}

int hf_cli_see_hold(struct hf_cli *cli, const char *state, struct hf_cli_hold_seen *ret_seen, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_HOLD_FILE_MAX);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/hold", state);
    const struct hf_hold_clocks clocks = read_clocks(cli);
    struct hf_hold_age age = {0};
    uint64_t wait_ns;

    *ret_seen = (struct hf_cli_hold_seen){.end_unix_ns = HF_NEVER};
    int r = path != NULL ? hf_file_read(cli->fs, path, &text, err) : hf_err_set(err, ENOMEM, "out of memory");
    if (r == -EACCES)
        return r;
    (void)!hf_hold_take(r, hf_buf_view(&text), &ret_seen->file, NULL); /* its reason says what is wrong with it */
    if (r == 0) {
        const struct hf_hold_kept kept = read_kept(cli, state);
        hf_hold_age_begin(&age, hf_hold_id(hf_buf_view(&text), written_unix_ns(cli, path)), &ret_seen->file, &kept,
                          &clocks);
        hf_hold_age_count(&age, &ret_seen->file, &clocks);
    }
    hf_cli_plain_text(ret_seen->file.reason);
    ret_seen->active = hf_hold_age_judge(&ret_seen->file, &age, &clocks, &wait_ns);
    ret_seen->end_unix_ns = hf_hold_age_end_unix_ns(&ret_seen->file, clocks.wall_unix_ns, wait_ns);
    return 0;
}

static const char *end_of(const struct hf_cli_hold_seen *seen, char when[HF_TIME_TEXT])
{
    return seen->active && seen->end_unix_ns != HF_NEVER ? hf_format_time(seen->end_unix_ns, when) : "";
}

json_t *hf_cli_hold_json(const struct hf_cli_hold_seen *seen)
{
    char when[HF_TIME_TEXT];

    return json_pack("{s:b, s:s, s:s}", "active", seen->active, "reason", seen->active ? seen->file.reason : "",
                     "until", end_of(seen, when));
}

void hf_cli_print_hold(struct hf_cli *cli, const struct hf_cli_hold_seen *seen)
{
    char when[HF_TIME_TEXT];
    const char *end = end_of(seen, when);

    (void)fprintf(cli->out, "held%s%s: %s\n", end[0] != '\0' ? " until " : "", end, seen->file.reason);
}
