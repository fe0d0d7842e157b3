/* SPDX-License-Identifier: Apache-2.0 */
/* If the source reports a higher number than this node's last number, either the node's disk is older than the
 * server's object (a restored disk image), or another agent uses this node's name. The node always continues from
 * the higher number. The first three times, it also writes its status again. From the fourth time on, it assumes
 * that another agent uses the same name, and does not answer a higher number with a write; its own changes and the
 * heartbeat still cause writes. Without this limit, two agents with the same name would answer every write of each
 * other with a new write. */
#include "agent/report/echo.h"

enum { MAX_ADOPTIONS = 3 };
/* Half of what the CRD allows: the numbers after an adopted one must fit, too, for as long as the node lives. */
#define MAX_SEQUENCE (INT64_C(1) << 52)
#define ADOPTION_MEMORY_NS (3600 * HF_NS_PER_S)

bool hf_echo_name_shared(const struct hf_echo *echo)
{
    return echo->adoptions > MAX_ADOPTIONS;
}

bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns)
{
    if (!hf_echo_name_shared(echo) || now_ns - echo->adopted_ns <= ADOPTION_MEMORY_NS)
        return false;
    echo->adoptions = 0;
    return true;
}

static enum hf_echo_news adopt(struct hf_echo *echo, struct hf_sequence *sequence, uint64_t theirs)
{
    uint64_t now = hf_mono_ns(sequence->env->world.clock);

    hf_log(sequence->env->world.log, HF_LOG_WARNING, "status.sequence_adopted", HF_D("ours", sequence->number),
           HF_D("theirs", theirs));
    if (echo->adoptions > 0 && now - echo->adopted_ns > ADOPTION_MEMORY_NS)
        echo->adoptions = 0;
    echo->adoptions++;
    echo->adopted_ns = now;
    sequence->number = theirs;
    return hf_echo_name_shared(echo) ? HF_ECHO_SHARED : HF_ECHO_ADOPTED;
}

enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first)
{
    int64_t told = hf_json_int_or(edgenode, "status.sequence", 0);
    uint64_t theirs = told >= 0 && told <= MAX_SEQUENCE ? (uint64_t)told : 0; /* no agent wrote any other */
    enum hf_echo_news news = HF_ECHO_NOTHING;

    *ret_first = !echo->heard;
    echo->exists = edgenode != NULL;
    echo->generation = hf_json_int_or(edgenode, "metadata.generation", 0);
    echo->heard = true;
    if (edgenode == NULL) {
        news = HF_ECHO_WRITE_AGAIN;
    } else if (theirs > sequence->number) {
        news = adopt(echo, sequence, theirs);
    } else if (theirs < echo->highest) {
        news = HF_ECHO_WRITE_AGAIN; /* a duplicate of an older write arrived late and won */
    } else if (echo->awaited != 0 && theirs >= echo->awaited) {
        echo->awaited = 0;
        news = HF_ECHO_DELIVERED;
    }
    echo->highest = edgenode == NULL ? 0 : HF_MAX(echo->highest, theirs);
    return news;
}

void hf_echo_adopt_times(json_t *ours, const json_t *theirs)
{
    for (size_t i = 0; i < json_array_size(ours); i++) {
        json_t *own = json_array_get(ours, i);
        for (size_t k = 0; k < json_array_size(theirs); k++) {
            const json_t *other = json_array_get(theirs, k);
            json_t *since = json_object_get(other, "lastTransitionTime");
            if (json_is_string(since) && json_equal(json_object_get(own, "type"), json_object_get(other, "type")) &&
                json_equal(json_object_get(own, "status"), json_object_get(other, "status")))
                (void)json_object_set(own, "lastTransitionTime", since);
        }
    }
}
