/* base/banned.h - libc calls that the compiler refuses because a safer one exists; force-included into every file of
 * pkg/ and cmd/.
 *
 * The libc headers come first: the pragma refuses each use of a name after it, so their declarations must stand
 * before it. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
