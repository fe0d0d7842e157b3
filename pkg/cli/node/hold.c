/* SPDX-License-Identifier: Apache-2.0 */
/* hold: the site's order not to update. Writes a file that the agent reads (sync/hold.h), so it works offline. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/format.h"
#include "cli/node/hold_seen.h"
#include "cli/parts.h"
#include "os/file.h"

const struct hf_cli_option hf_cli_hold_options[] = {
    HF_CLI_OPTION("reason", "TEXT", "hold for this reason; the EdgeNode shows it"),
    HF_CLI_OPTION("for", "DURATION", "duration of the hold (8h, 2d; default and maximum: 7d)"),
    HF_CLI_OPTION("release", NULL, "end the hold"),
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_JSON("print the hold as JSON"),
    {.name = NULL},
};

static int write_hold(struct hf_cli *cli, const struct hf_cli_args *args, const char *path, struct hf_err *err)
{
    const char *length = hf_cli_value(args, "for", NULL), *reason = hf_cli_value(args, "reason", "");
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_HOLD_FILE_MAX);
    uint64_t now = hf_unix_ns(cli->clock), for_ns = 0;
    char when[HF_TIME_TEXT];
    int r = length != NULL ? hf_cli_duration("for", length, &for_ns, err) : 0;

    if (r < 0)
        return r;
    if (length != NULL && for_ns == 0)
        return hf_err_set(err, EINVAL, "--for must be more than 0; to end a hold, use --release");
    if (strlen(reason) >= HF_HOLD_REASON_MAX)
        return hf_err_set(err, EINVAL, "--reason is longer than %d bytes", HF_HOLD_REASON_MAX - 1);
    if (for_ns > HF_HOLD_MAX_NS)
        return hf_err_set(err, EINVAL,
                          "--for must not exceed 7d, so that a forgotten hold does not block fixes for ever");
    _cleanup_(hf_json_freep) json_t *hold =
        json_pack("{s:s, s:s}", "reason", reason, "since", hf_format_time(now, when));
    if (hold == NULL)
        return hf_err_set(err, EINVAL, "--reason: not valid UTF-8");
    if (length != NULL)
        r = hf_cli_put(hold, "until", json_string(hf_format_time(now + for_ns, when)), err);
    if (r == 0 && (hf_json_format(hold, &text) < 0 || hf_buf_add_str(&text, "\n") < 0))
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = hf_file_replace(cli->fs, path, text.p, text.n, 0644, err);
    return r;
}

static int show_hold(struct hf_cli *cli, const struct hf_cli_args *args, const char *state, struct hf_err *err)
{
    struct hf_cli_hold_seen seen;
    int r = hf_cli_see_hold(cli, state, &seen, err);

    if (r < 0)
        return r;
    if (hf_cli_flag(args, "json")) {
        _cleanup_(hf_json_freep) json_t *answer = hf_cli_hold_json(&seen);
        return answer != NULL ? hf_cli_print_json(cli, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
    }
    if (seen.active)
        hf_cli_print_hold(cli, &seen);
    else
        (void)fprintf(cli->out, "no hold\n");
    return 0;
}

int hf_cli_hold(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *state = hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR);
    bool release = hf_cli_flag(args, "release"), hold = hf_cli_value(args, "reason", NULL) != NULL;
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/hold", state);
    struct stat st;

    if (path == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (release && hold)
        return hf_err_set(err, EINVAL, "--reason and --release exclude each other");
    if (!hold && hf_cli_value(args, "for", NULL) != NULL)
        return hf_err_set(err, EINVAL, "--for needs --reason");
    int r = stat(state, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    if (r < 0 && r != -EACCES)
        return hf_err_set(err, ENOENT, "state folder '%s' does not exist: set --state-dir to the agent's", state);
    if (r == 0 && release)
        r = hf_file_remove(cli->fs, path, err);
    if (r == 0 && hold)
        r = write_hold(cli, args, path, err);
    if (r == 0)
        r = show_hold(cli, args, state, err);
    return r == -EACCES ? hf_err_set(err, EACCES, "only root may %s the hold in '%s'",
                                     release || hold ? "change" : "read", state)
                        : r;
}
