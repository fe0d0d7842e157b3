/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/restart.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "loop/unit.h"
#include "steps/command.h"

struct hf_restart {
    const struct hf_unit_ops *unit;
    struct hf_command *command;
    struct hf_unit_call *unit_call;
    char name[128];
    void (*done)(void *arg, int r, const struct hf_failure *failure);
    void *arg;
};

static enum hf_reason reason_of(int r)
{
    return r == -ENOENT ? HF_R_UnitNotFound : r == -ENOTCONN ? HF_R_SystemdUnavailable : HF_R_RestartFailed;
}

static void end(struct hf_restart *restart, int r, const struct hf_failure *failure)
{
    void (*done)(void *arg, int r, const struct hf_failure *failure) = restart->done;
    void *arg = restart->arg;

    free(restart);
    done(arg, r, failure);
}

static void unit_done(void *arg, int r, const struct hf_err *err)
{
    struct hf_restart *restart = arg;
    struct hf_failure failure = {.reason = HF_R_None};
    char text[256];

    restart->unit_call = NULL;
    if (r < 0)
        (void)hf_failure_set(&failure, reason_of(r), -r, "restart '%s': %s", restart->name,
                             err != NULL ? hf_err_text(err, text, sizeof(text)) : "failed");
    end(restart, r, &failure);
}

static void exec_done(void *arg, int r, const struct hf_failure *failure)
{
    struct hf_restart *restart = arg;

    restart->command = NULL;
    end(restart, r, failure);
}

int hf_restart_start(const struct hf_proc_ops *proc, const struct hf_unit_ops *unit, const struct hf_install *install,
                     uint64_t start_ns, void (*done)(void *arg, int r, const struct hf_failure *failure), void *arg,
                     struct hf_restart **ret_restart, struct hf_failure *failure)
{
    struct hf_restart *restart = calloc(1, sizeof(*restart));
    int r;

    if (restart == NULL)
        return hf_failure_sys(failure, -ENOMEM, "restart");
    *restart = (struct hf_restart){.unit = unit, .done = done, .arg = arg};
    if (install->restart_unit != NULL) {
        (void)snprintf(restart->name, sizeof(restart->name), "%s", install->restart_unit);
        r = unit->restart(unit->ctx, install->restart_unit, HF_MAX(start_ns, (uint64_t)HF_RESTART_UNIT_TIMEOUT_NS),
                          unit_done, restart, &restart->unit_call, &failure->err);
    } else {
        struct hf_command_params command = {.proc = proc,
                                            .what = "restart by",
                                            .argv = install->restart_exec,
                                            .timeout_ns = HF_RESTART_EXEC_TIMEOUT_NS,
                                            .reason = HF_R_RestartFailed,
                                            .done = exec_done,
                                            .arg = restart};
        r = hf_command_start(&command, &restart->command, failure);
    }
    if (r < 0) {
        failure->reason = install->restart_unit != NULL ? reason_of(r) : HF_R_RestartFailed;
        free(restart);
        return r;
    }
    *ret_restart = restart;
    return 0;
}

void hf_restart_free(struct hf_restart *restart)
{
    if (restart == NULL)
        return;
    if (restart->unit_call != NULL)
        restart->unit->cancel(restart->unit->ctx, restart->unit_call);
    hf_command_free(restart->command);
    free(restart);
}
