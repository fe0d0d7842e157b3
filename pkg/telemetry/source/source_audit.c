/* SPDX-License-Identifier: Apache-2.0 */
/* The source `audit`: the entries of the agent's own audit log (pkg/audit), so that a sink has them, with their chain
 * of hashes, outside the reach of the node's root.
 *
 * The body of an event is the line of the log, byte for byte. The source looks at the log every ten seconds, and
 * reads the few kilobytes that are new on the loop thread. The position is the number of the last durable entry.
 * Entries that rotation removed before a sink took them are gone; the line SegmentStarted has their number, and the
 * numbers of the entries show the gap. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/segment.h"
#include "base/parse.h"
#include "telemetry/source/position.h"
#include "telemetry/source/source_common.h"

#define LOOK_EVERY_NS (10 * HF_NS_PER_S)

enum { PIECE = 64, MAX_ID = 64 };

struct audit_piece {
    struct hf_receipt receipt;
    struct audit *from; /* NULL: the source was freed */
    uint64_t last;      /* number of the last entry under this receipt */
};

struct audit {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    struct hf_timer *timer;
    struct hf_position *position;
    struct audit_piece *piece; /* on its way to disk; NULL: none */
    uint64_t durable;          /* entries up to this one are with the sinks' spools */
    uint64_t newest;           /* number of the last readable entry that this look has found */
    unsigned taken;            /* entries of this look */
    bool full;                 /* the intake has no room */
};

static void look(void *arg);

static void arm(struct audit *from, uint64_t ns)
{
    hf_timer_arm(from->env->sched, from->timer, ns);
}

static int position_text(void *arg, struct hf_buf *out)
{
    const struct audit *from = arg;

    return hf_buf_addf(out, "%" PRIu64 "\n", from->durable);
}

static void read_position(struct audit *from)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64);

    if (hf_position_load(from->position, &text, NULL) < 0 || text.n == 0)
        return;
    text.p[strcspn(text.p, "\n")] = '\0';
    if (hf_parse_u64(text.p, 0, INT64_MAX, &from->durable) < 0)
        from->durable = 0;
}

static void settled(struct hf_receipt *receipt)
{
    struct audit_piece *piece = hf_container_of(receipt, struct audit_piece, receipt);
    struct audit *from = piece->from;

    if (from != NULL) {
        from->piece = NULL;
        if (receipt->r == 0 && piece->last > from->durable) {
            from->durable = piece->last;
            hf_position_changed(from->position, false, position_text, from);
        }
        arm(from, receipt->r < 0 || from->taken < PIECE ? LOOK_EVERY_NS : 0);
    }
    free(piece);
}

static enum hf_severity severity_of(enum hf_audit_kind kind)
{
    switch (kind) {
    case HF_AUDIT_UPDATE_REFUSED:
    case HF_AUDIT_POLICY_REFUSED:
    case HF_AUDIT_MANIFEST_REFUSED:
    case HF_AUDIT_MANIFEST_ROLLED_BACK:
    case HF_AUDIT_OVERRIDE_USED:
    case HF_AUDIT_CLOCK_LEAPT:
    case HF_AUDIT_ENTRIES_LOST:
    case HF_AUDIT_TORN_LINE:
        return HF_SEVERITY_WARNING;
    default:
        return HF_SEVERITY_INFO;
    }
}

static int offer(struct audit *from, const struct hf_audit_line *line)
{
    const struct hf_audit_entry *entry = &line->entry;
    char id[MAX_ID], source[HF_AUDIT_REASON + 8];
    struct hf_event event = {
        .kind = HF_EVENT_LOG,
        .source_class = HF_SOURCE_AUDIT,
        .severity = severity_of(entry->event.kind),
        .unix_ns = entry->unix_ns,
        .body = line->text,
        .attributes = {{HF_VIEW("subject"), hf_view_of(entry->event.subject)},
                       {HF_VIEW("reason"), hf_view_of(entry->event.reason)}},
        .n_attributes = 2,
    };

    (void)snprintf(id, sizeof(id), "audit-%" PRIu64 "-%.16s", entry->seq, line->hash);
    (void)snprintf(source, sizeof(source), "audit:%s", entry->kind_name);
    event.id = hf_view_of(id);
    event.source = hf_view_of(source);
    return hf_source_offer(from->intake, &event, &from->piece->receipt);
}

/* A damaged line goes nowhere: the numbers of the entries show the gap. */
static int take(void *arg, const struct hf_audit_line *line)
{
    struct audit *from = arg;
    uint64_t seq = line->entry.seq;

    if (line->r < 0)
        return 0;
    from->newest = seq;
    if (seq <= HF_MAX(from->durable, from->piece->last))
        return 0;
    if (from->taken == PIECE)
        return 1;
    from->full = offer(from, line) == -EAGAIN;
    if (from->full)
        return 1;
    from->piece->last = seq;
    from->taken++;
    return 0;
}

/* Reads up to PIECE entries under one receipt. */
static void look(void *arg)
{
    struct audit *from = arg;

    if (from->piece != NULL)
        return; /* settled() looks again */
    from->piece = calloc(1, sizeof(*from->piece));
    if (from->piece == NULL) {
        arm(from, LOOK_EVERY_NS);
        return;
    }
    from->piece->from = from;
    from->piece->receipt.settled = settled;
    from->newest = from->taken = 0;
    from->full = false;
    struct hf_receipt *receipt = &from->piece->receipt;
    hf_receipt_hold(receipt);
    int r = hf_audit_read(from->env->fs, from->env->audit, from->durable + 1, take, from, NULL);
    if (r == 0 && from->newest > 0 && from->newest < from->durable)
        from->durable = 0; /* somebody removed the log, and a new one has begun */
    hf_receipt_release(receipt, 0);
}

static void resume(struct hf_source *source)
{
    struct audit *from = hf_container_of(source, struct audit, source);

    if (from->full)
        arm(from, 0);
}

static void audit_free(struct hf_source *source)
{
    struct audit *from = hf_container_of(source, struct audit, source);

    hf_position_free(from->position);
    if (from->piece != NULL)
        from->piece->from = NULL;
    hf_timer_free(from->env->sched, from->timer);
    free(from);
}

int hf_source_audit_new(HF_UNUSED const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                        const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    struct audit *from;

    if (env->audit == NULL)
        return hf_err_set(err, ENOENT, "this agent keeps no journal");
    from = calloc(1, sizeof(*from));
    if (from == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    from->source = (struct hf_source){.name = "audit", .resume = resume, .free = audit_free};
    from->env = env;
    from->intake = intake;
    from->position = hf_position_new(env, "audit");
    from->timer = hf_timer_new(env->sched, look, from);
    if (from->position == NULL || from->timer == NULL) {
        audit_free(&from->source);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    read_position(from);
    arm(from, 0);
    *ret_source = &from->source;
    return 0;
}
