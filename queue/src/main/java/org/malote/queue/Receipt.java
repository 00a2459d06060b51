package org.malote.queue;

/// The proof that a message is kept. Only the queue makes one, and only after the commit that
/// covers the message has returned: in [Durability#COMMIT] the message is then on stable storage.
public final class Receipt {
    private final MessageId messageId;

    Receipt(MessageId messageId) {
        this.messageId = messageId;
    }

    public MessageId messageId() {
        return messageId;
    }

    @Override
    public String toString() {
        return messageId.toString();
    }
}
