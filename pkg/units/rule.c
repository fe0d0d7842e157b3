/* SPDX-License-Identifier: Apache-2.0 */
#include "units/rule.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "base/macros.h"

enum { MAX_UNIT_NAME = 255 };

enum hf_units_call hf_units_call_of(const char *path, const char *interface, const char *member)
{
    static const struct {
        const char *interface, *member, *path; /* path NULL: any */
        enum hf_units_call call;
    } known[] = {
        {"org.freedesktop.DBus", "Hello", NULL, HF_UNITS_HELLO},
        {"org.freedesktop.DBus", "AddMatch", NULL, HF_UNITS_MATCH},
        {"org.freedesktop.DBus", "RemoveMatch", NULL, HF_UNITS_MATCH},
        {"org.freedesktop.systemd1.Manager", "Subscribe", "/org/freedesktop/systemd1", HF_UNITS_SUBSCRIBE},
        {"org.freedesktop.systemd1.Manager", "ResetFailedUnit", "/org/freedesktop/systemd1", HF_UNITS_SUBSCRIBE},
        {"org.freedesktop.systemd1.Manager", "RestartUnit", "/org/freedesktop/systemd1", HF_UNITS_RESTART},
        {"org.freedesktop.systemd1.Manager", "ReloadUnit", "/org/freedesktop/systemd1", HF_UNITS_RESTART},
        {"org.freedesktop.systemd1.Manager", "StartUnit", "/org/freedesktop/systemd1", HF_UNITS_OWN_JOB},
        {"org.freedesktop.systemd1.Manager", "StopUnit", "/org/freedesktop/systemd1", HF_UNITS_OWN_JOB},
        {"org.freedesktop.systemd1.Manager", "EnableUnitFiles", "/org/freedesktop/systemd1", HF_UNITS_OWN_FILES},
        {"org.freedesktop.systemd1.Manager", "DisableUnitFiles", "/org/freedesktop/systemd1", HF_UNITS_OWN_FILES},
        {"org.freedesktop.systemd1.Manager", "Reload", "/org/freedesktop/systemd1", HF_UNITS_RELOAD},
        {"org.freedesktop.DBus.Properties", "GetAll", NULL, HF_UNITS_STATE},
    };
    static const char units[] = "/org/freedesktop/systemd1/unit/";

    if (path == NULL || interface == NULL || member == NULL)
        return HF_UNITS_REFUSE;
    for (size_t i = 0; i < HF_LEN(known); i++) {
        if (strcmp(interface, known[i].interface) != 0 || strcmp(member, known[i].member) != 0)
            continue;
        if (known[i].path != NULL && strcmp(path, known[i].path) != 0)
            return HF_UNITS_REFUSE;
        if (known[i].call == HF_UNITS_STATE && strncmp(path, units, strlen(units)) != 0)
            return HF_UNITS_REFUSE;
        return known[i].call;
    }
    return HF_UNITS_REFUSE;
}

static bool name_valid(const char *unit)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";
    static const char suffix[] = ".service";
    size_t n = strlen(unit), s = strlen(suffix);

    return n > s && n <= MAX_UNIT_NAME && strspn(unit, allowed) == n && strcmp(unit + n - s, suffix) == 0;
}

bool hf_units_restart_allowed(const char *unit, const char *const *patterns)
{
    static const char *const refused[] = {
        "debug-shell.service",
        "emergency.service",
        "rescue.service",
        "systemd-exit.service",
        "systemd-halt.service",
        "systemd-hibernate.service",
        "systemd-kexec.service",
        "systemd-poweroff.service",
        "systemd-reboot.service",
        "systemd-soft-reboot.service",
        "systemd-suspend.service",
        "systemd-hybrid-sleep.service",
        "systemd-suspend-then-hibernate.service",
    };

    if (!name_valid(unit))
        return false;
    for (size_t i = 0; i < HF_LEN(refused); i++)
        if (strcmp(unit, refused[i]) == 0)
            return false;
    if (patterns == NULL)
        return true;
    for (; *patterns != NULL; patterns++)
        if (fnmatch(*patterns, unit, 0) == 0)
            return true;
    return false;
}
