/// # bounce
///
/// **Purpose.** Tells senders what became of their mail: delivery status notifications for
/// failures, delays and, where they asked, success.
///
/// **Owns.** Who is told and who is not, the text that people read, and the form that programs
/// read. A notification is in the queue before the failure that it tells of leaves it.
///
/// **Never.** Answers the null reverse-path, and so never a notification. Decides what failed
/// (`delivery` does) or how it is sent (it is mail like any other).
///
/// **Threads.** A report is asked for on any thread and composed on the io executor, since it reads
/// the message from the disk.
///
/// **Standards.** RFC 3461 (NOTIFY, RET, ENVID, ORCPT), 3464 (delivery-status), 6522
/// (multipart/report), 6533 (the same beyond ASCII), 3834 §5 (Auto-Submitted), 5321 §6.1.
///
/// **Known limits.** One notification tells of one attempt: recipients at several destinations mean
/// several notifications. That a delay was told is remembered in memory: a restart may tell it a
/// second time within the first hours. The text is in English.
@NullMarked
package org.malote.bounce;

import org.jspecify.annotations.NullMarked;
