/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/command.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_SAID = 120 };

struct hf_command {
    struct hf_command_params params;
    struct hf_proc_call *call;
    char name[128];
};

static void ended(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_command *command = arg;
    struct hf_command_params params = command->params;
    struct hf_failure failure = {.reason = HF_R_None};
    struct hf_view said = hf_view_trim(output);

    if (r < 0)
        (void)hf_failure_sys(&failure, r, "%s '%s'", params.what, command->name);
    else if (exit_code != 0)
        r = hf_failure_set(&failure, params.reason, EIO, "%s '%s': exit code %d: %.*s", params.what, command->name,
                           exit_code, (int)HF_MIN(said.n, (size_t)MAX_SAID), said.p != NULL ? said.p : "");
    if (r < 0)
        failure.reason = params.reason;
    free(command);
    params.done(params.arg, r, &failure);
}

int hf_command_start(const struct hf_command_params *params, struct hf_command **ret_command,
                     struct hf_failure *failure)
{
    struct hf_command *command = calloc(1, sizeof(*command));

    if (command == NULL)
        return hf_failure_sys(failure, -ENOMEM, "%s", params->what);
    command->params = *params;
    (void)snprintf(command->name, sizeof(command->name), "%s", params->argv[0]);
    struct hf_proc_request request = {
        .argv = params->argv, .env = params->env, .timeout_ns = params->timeout_ns, .done = ended, .arg = command};
    int r = params->proc->spawn(params->proc->ctx, &request, &command->call, &failure->err);
    if (r < 0) {
        failure->reason = params->reason;
        free(command);
        return r;
    }
    *ret_command = command;
    return 0;
}

void hf_command_free(struct hf_command *command)
{
    if (command == NULL)
        return;
    command->params.proc->cancel(command->params.proc->ctx, command->call);
    free(command);
}
