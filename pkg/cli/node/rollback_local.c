/* SPDX-License-Identifier: Apache-2.0 */
/* rollback --local: the site's order to go back to the version before. Writes a file that the agent reads
 * (update/state/order.h), then looks in the release's journal for what the agent made of it. Needs no network. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encoding/utf8.h"
#include "cli/node/rollback_local.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "os/file.h"
#include "update/state/journal.h"
#include "update/state/order.h"

struct local {
    struct hf_cli *cli;
    const char *state, *release;
    char *orders;
    struct hf_journal j; /* as read last */
    uint64_t end_mono_ns;
};

static void local_done(struct local *local)
{
    free(local->orders);
}

/* Without hf_journal_load(), which sets a damaged journal aside: that is the agent's affair. */
static int read_journal(struct local *local, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/updates/%s/journal", local->state, local->release);
    _cleanup_(hf_json_freep) json_t *kept = NULL;

    if (path == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_file_read(local->cli->fs, path, &text, err);
    if (r == -ENOENT)
        return hf_err_set(err, ENOENT, "this node has no release '%s': see holdfast status", local->release);
    return r < 0 ? r : hf_journal_parse(hf_buf_view(&text), &local->j, &kept, err);
}

/* Waits between two looks. False: the time is up. */
static bool pause_for(const struct local *local)
{
    const struct timespec pause = {.tv_nsec = 50000000};

    if (hf_mono_ns(local->cli->clock) >= local->end_mono_ns)
        return false;
    (void)nanosleep(&pause, NULL);
    return true;
}

static int timed_out(const struct local *local, const char *what)
{
    hf_cli_print_line(local->cli->err, "%s; the agent has not acted on it yet: does it run? (holdfast status)", what);
    return HF_EXIT_TIMED_OUT;
}

static void put_text(char *to, size_t n, const char *from)
{
    size_t length = hf_utf8_prefix(from, HF_MIN(strlen(from), n - 1));

    memcpy(to, from, length);
    for (size_t i = 0; i < length; i++)
        to[i] = (unsigned char)to[i] < 0x20 || to[i] == 0x7f ? ' ' : to[i];
}

/* The user behind sudo, for the log and the status; root can claim any name. */
static const char *who(void)
{
    const char *user = getenv("SUDO_USER");

    user = user != NULL && user[0] != '\0' ? user : getenv("LOGNAME");
    return user != NULL && user[0] != '\0' ? user : "root";
}

static int check(const struct local *local, struct hf_err *err)
{
    const struct hf_journal *j = &local->j;

    if (j->good_digest[0] == '\0')
        return hf_err_set(err, EOPNOTSUPP, "no version of '%s' is committed on this node", j->name);
    if (j->good_local)
        return hf_err_set(err, EOPNOTSUPP, "the site has gone back to %s already; --undo ends that", j->good_version);
    return 0;
}

/* 0: done; 1: not yet. */
static int look(struct local *local, const struct hf_order *order, struct hf_err *err)
{
    struct hf_order now;
    int r = hf_order_load(local->cli->fs, local->orders, local->release, &now, err);

    if (r == 0 && hf_order_is(&now, order) && now.refused[0] != '\0')
        return hf_err_set(err, EOPNOTSUPP, "the node stays at %s: %s", order->version, now.refused);
    if (r == -ENOENT)
        return hf_err_set(err, ESTALE, "the node has committed another version meanwhile, so the order is void");
    if (r == 0)
        r = read_journal(local, err);
    return r < 0 ? r : local->j.phase != HF_PHASE_COMMITTED || !local->j.good_local;
}

static int go_back(struct local *local, const char *reason, struct hf_err *err)
{
    struct hf_order order = {.since_unix_ns = hf_unix_ns(local->cli->clock)};
    int r = check(local, err);

    if (r < 0)
        return r;
    (void)snprintf(order.digest, sizeof(order.digest), "%s", local->j.good_digest);
    (void)snprintf(order.version, sizeof(order.version), "%s", local->j.good_version);
    put_text(order.reason, sizeof(order.reason), reason);
    put_text(order.by, sizeof(order.by), who());
    r = hf_order_save(local->cli->fs, local->orders, local->release, &order, err);
    if (r < 0)
        return r;
    while ((r = look(local, &order, err)) == 1)
        if (!pause_for(local))
            return timed_out(local, "the order stands");
    if (r == 0)
        hf_cli_print_line(local->cli->out, "%s: %s runs again instead of %s, %llu bytes fetched", local->release,
                          local->j.version, order.version, (unsigned long long)local->j.bytes_fetched);
    return r;
}

static int undo(struct local *local, struct hf_err *err)
{
    struct hf_order order;
    int r = hf_order_load(local->cli->fs, local->orders, local->release, &order, err);

    if (r == -ENOENT)
        return hf_err_set(err, ENOENT, "the site has given no order for '%s'", local->release);
    r = hf_order_remove(local->cli->fs, local->orders, local->release, err);
    while (r == 0 && local->j.good_local) {
        if (!pause_for(local))
            return timed_out(local, "the order is gone");
        r = read_journal(local, err);
    }
    if (r == 0)
        hf_cli_print_line(local->cli->out, "%s: the order is gone, and %s is committed", local->release,
                          local->j.good_version);
    return r;
}

int hf_cli_rollback_local(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(local_done) struct local local = {
        .cli = cli, .state = hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR), .release = args->words[0]};
    const char *reason = hf_cli_value(args, "reason", "");
    bool undoes = hf_cli_flag(args, "undo");
    uint64_t for_ns;
    int r = hf_cli_duration("timeout", hf_cli_value(args, "timeout", HF_CLI_LOCAL_TIMEOUT), &for_ns, err);

    if (r < 0)
        return r;
    local.orders = hf_asprintf("%s/" HF_ORDERS_DIR, local.state);
    local.end_mono_ns = hf_mono_ns(cli->clock) + for_ns;
    if (local.orders == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (local.release[0] == '\0' ||
        strspn(local.release, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(local.release) ||
        local.release[0] == '.')
        return hf_err_set(err, EINVAL, "'%.64s' is no name of a release", local.release);
    if (undoes && reason[0] != '\0')
        return hf_err_set(err, EINVAL, "--reason and --undo exclude each other");
    if (strlen(reason) >= HF_ORDER_MAX_REASON)
        return hf_err_set(err, EINVAL, "--reason is longer than %d bytes", HF_ORDER_MAX_REASON - 1);
    r = read_journal(&local, err);
    if (r == 0)
        r = undoes ? undo(&local, err) : go_back(&local, reason, err);
    return r == -EACCES ? hf_err_set(err, EACCES, "only root may give the order in '%s'", local.state) : r;
}
