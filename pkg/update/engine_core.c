/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's lower half: wake-ups and the turn, by pkg/steer. */
#include <string.h>

#include "update/release.h"

void update_engine_wake(struct hf_update_engine *engine)
{
    hf_steer_core_wake(&engine->core);
}

void update_engine_notify(struct hf_update_engine *engine)
{
    hf_steer_core_notify(&engine->core);
}

bool update_engine_has_turn(const struct release *release)
{
    return release->engine->core.active == &release->machine;
}

void update_engine_leave_turn(struct release *release)
{
    hf_steer_core_leave_turn(&release->engine->core, &release->machine);
}

bool update_name_is_safe(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strlen(name) <= HF_API_MAX_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(name);
}
