#include "cli/fleet/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/format.h"
#include "cli/fleet/output.h"
#include "cli/fleet/table.h"
#include "cli/parts.h"

enum { BAR = 23, LINE = 2048 };

int hf_follow_begin(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_follow *ret_follow,
                    struct hf_err *err)
{
    struct hf_follow follow = {.cli = cli, .json = hf_cli_flag(args, "json"), .end_mono_ns = UINT64_MAX};
    const char *timeout = hf_cli_value(args, "timeout", NULL);
    uint64_t limit = 0;
    int r = timeout != NULL ? hf_cli_duration("timeout", timeout, &limit, err) : 0;

    if (r == 0 && timeout != NULL)
        follow.end_mono_ns = hf_mono_ns(cli->clock) + limit;
    if (r == 0)
        r = hf_cluster_open(cli, args, &follow.cluster, err);
    if (r == 0)
        *ret_follow = follow;
    return r;
}

void hf_follow_end(struct hf_follow *follow)
{
    hf_cluster_close(follow->cluster);
    free(follow->last);
}

int hf_follow_judge(struct hf_follow *follow, int r, const struct hf_err *err)
{
    char text[sizeof(err->cause) + sizeof(err->where) + 4];

    switch (-r) {
    case 0:
        follow->away = false;
        return 0;
    case EACCES:
    case ENOENT:
    case EIO:
    case EINVAL:
    case ENOMEM:
    case E2BIG:
        return r;
    default:
        break;
    }
    if (!follow->away)
        (void)fprintf(follow->cli->err, "%s; trying again\n", hf_err_text(err, text, sizeof(text)));
    follow->away = true;
    return 1;
}

static int print_once(struct hf_follow *follow, const char *line, bool with_time, struct hf_err *err)
{
    char time[HF_TIME_TEXT];

    if (follow->last != NULL && strcmp(follow->last, line) == 0)
        return 0;
    free(follow->last);
    follow->last = strdup(line);
    if (follow->last == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (with_time)
        (void)fprintf(follow->cli->out, "%s  ", hf_format_time(hf_unix_ns(follow->cli->clock), time));
    (void)fprintf(follow->cli->out, "%s\n", line);
    if (fflush(follow->cli->out) != 0)
        return hf_err_sys(err, -errno, "write standard output");
    return 0;
}

int hf_follow_say(struct hf_follow *follow, const char *line, struct hf_err *err)
{
    if (!follow->json)
        return print_once(follow, line, true, err);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * LINE);
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:s}", "message", line);
    if (json == NULL || hf_json_format(json, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return print_once(follow, hf_buf_str(&text), false, err);
}

static int print_json(struct hf_follow *follow, const struct hf_rollout_view *view, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_json_freep) json_t *json = hf_rollout_view_json(view);

    if (json == NULL || hf_json_format(json, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return print_once(follow, hf_buf_str(&text), false, err);
}

int hf_follow_print(struct hf_follow *follow, const struct hf_rollout_view *view, struct hf_err *err)
{
    const struct hf_output_bar drawn = {view->selected, view->updated, view->updating, view->failed, view->unknown};
    char bar[BAR], line[LINE];

    if (follow->json)
        return print_json(follow, view, err);
    if (view->counted)
        (void)snprintf(line, sizeof(line),
                       "%s %s  %s  %s  updated %lld/%lld, updating %lld, failed %lld, away %lld  %s%s%s", view->release,
                       view->version, view->stage[0] != '\0' ? view->stage : "-",
                       hf_output_draw(&drawn, bar, sizeof(bar)), (long long)view->updated, (long long)view->selected,
                       (long long)view->updating, (long long)view->failed, (long long)view->unknown, view->reason,
                       view->message[0] != '\0' ? ": " : "", view->message);
    else
        (void)snprintf(line, sizeof(line), "%s %s  %s: %s", view->release, view->version, view->reason, view->message);
    return print_once(follow, line, true, err);
}

bool hf_follow_pause(struct hf_follow *follow, uint64_t period_ns)
{
    uint64_t now = hf_mono_ns(follow->cli->clock);

    if (now >= follow->end_mono_ns)
        return false;
    hf_cluster_sleep(follow->cluster, HF_MIN(period_ns, follow->end_mono_ns - now));
    return true;
}
