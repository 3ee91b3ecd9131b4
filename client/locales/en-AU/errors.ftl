# What went wrong, by code.
#
# Message: what happened. `.seen`: who can see or hear you, where the phase alone does not say it. `.next`: what to do.
# The practice's phone number is added by the window.

error-AUTH-01 = Those details don’t match.
    .next = Check your name and passphrase, then try again.
error-AUTH-02 = There were too many tries.
    .next = { $minutes ->
        [0] Wait a few minutes, or ask your administrator.
        [one] Try again in 1 minute, or ask your administrator.
       *[other] Try again in { $minutes } minutes, or ask your administrator.
    }
error-AUTH-03 = This account has no second factor yet.
    .next = Ask your administrator to enrol one, then sign in again.
error-AUTH-04 = That second-factor code doesn’t match.
    .next = Check that the clock of this computer and of your authenticator are right, then type the code shown now.
error-AUTH-05 = This is not the server this computer knows.
    .next = Do not continue. Call your administrator before you type anything here.
error-AUTH-06 = That second-factor code was used already.
    .next = Wait for the next code, up to 30 seconds, then type that one.
error-AUTH-07 = Your session has ended.
    .next = Sign in again. Nothing you booked is lost.
error-AUTH-08 = That one-time secret doesn’t fit. It may be used already, or too old.
    .next = Check it letter by letter, or ask your administrator for a new one.

error-DEV-01 = No camera was found, or it didn’t start.
    .next = You can continue with voice only, and add a camera later.
error-DEV-02 = No microphone was found, or it didn’t start.
    .next = You can continue. Ask the practice to call you, and keep the picture here.
error-DEV-03 = Another program is using this device.
    .next = Close the other program, or continue without it.
error-DEV-04 = No speaker or headphones were found.
    .next = You can continue. Plug in headphones, or ask the practice to call you.

error-DEV-05 = Picture and sound stopped working on this computer.
    .seen = The call has ended. Nobody can see or hear you.
    .next = Close other programs, start Quietroom again, and join again. Or use the phone.

error-E2E-01 = We could not verify incoming sound and picture from { $person }.
    .seen = They are muted here while we fix it. Nothing unverified is played.
    .next = Wait a moment. If it stays quiet, call them.
error-E2E-02 = The safety words don’t match.
    .seen = Somebody may be listening in between.
    .next = Say nothing private. Leave this call and phone each other.
error-E2E-03 = Someone else changed the group first.
    .next = Nothing to do. We are trying again.
error-E2E-04 = { $person }’s connection did not prove who it is.
    .seen = No sound or picture was sent to it.
    .next = Leave and start again. If it happens twice, use the phone.
error-E2E-05 = This admission could not be verified.
    .seen = Nobody can see or hear you.
    .next = Ask the practice for a new invitation.
error-E2E-06 = A change of this call is being held back on its way here.
    .seen = You are not seen or heard until it arrives.
    .next = Wait a moment, it goes on by itself. If it stays, leave and phone each other.
error-E2E-07 = This call was split: not everybody is in the same one.
    .seen = Nothing is sent any more. Somebody may have tried to listen in.
    .next = Leave this call and phone each other.
error-E2E-08 = The clinician’s computer has not been heard of for a while.
    .seen = You are not seen or heard meanwhile.
    .next = Wait, it goes on by itself. Or use the phone.
error-E2E-09 = An unrecognised device appeared.
    .seen = The call is paused. Nothing is sent.
    .next = Leave this call and phone each other.
error-E2E-10 = The connection to this call broke. You are being brought back.
    .seen = You are not seen or heard meanwhile.
    .next = Wait, it goes on by itself. You do not need the link or the code again.
error-E2E-11 = This program was started to hand out the keys of a call, which a private call never does.
    .next = Start Quietroom without --disclose. Only an assessor call goes with it.

error-E2E-12 = Somebody outside this call tried to change it, and was refused.
    .seen = Nobody came in. You are seen and heard as before.
    .next = You can go on. If it happens again, tell whoever runs your practice’s server.

error-END-01 = A device could not be released.
    .seen = The call has ended. Nobody can see or hear you.
    .next = Close Quietroom. If a camera light stays on, restart this computer.

error-INV-01 = Part of the invitation is missing.
    .next = Open it again from the e-mail, or copy the whole link and paste it once more.
error-INV-02 = This invitation has expired.
    .next = Ask the practice for a new one.
error-INV-03 = That code doesn’t match this invitation.
    .next = { $tries ->
        [0] Check the text message or your notes, then try again.
        [one] You have 1 try left. Check the text message or your notes.
       *[other] You have { $tries } tries left. Check the text message or your notes.
    }
error-INV-04 = This invitation is locked after three wrong codes.
    .next = We told the practice. Please call them for a new invitation.
error-INV-05 = This appointment was moved or cancelled.
    .next = Look for a newer message from the practice, or call them.
error-INV-06 = The link is right, but a wrong code was tried before.
    .seen = Nobody was let in by it.
    .next = Check this person’s identity carefully before you admit them.
error-INV-07 = You are early. The door is not open yet.
    .next = Wait here, or come back closer to your appointment.
error-INV-08 = This invitation was used already, perhaps on another device.
    .next = Go on there, or ask the practice for a new invitation.
error-INV-09 = You are not expected at this appointment.
    .next = Call the practice.
error-INV-10 = This invitation was withdrawn.
    .next = Call the practice if you did not expect that.
error-INV-11 = There is no phone number to call you on.
    .next = Add one, or go on without: then nobody can reach you if the connection drops.
error-INV-12 = The other side is not proven to belong to this practice.
    .seen = Nobody can see or hear you. Your details were not handed over.
    .next = Do not try again. Call the practice on the number you know.

error-KEY-01 = This computer is not set up for sign-in, or its device certificate has ended.
    .next = Ask the owner of the practice to certify this computer.
error-KEY-02 = That passphrase doesn’t open the keys on this computer.
    .next = Check the passphrase, then try again.
error-KEY-03 = The keys on this computer could not be read or written.
    .next = Check that the disk is not full, then start Quietroom again.
error-KEY-04 = This computer’s key store is locked, or has lost its part of the keys.
    .next = Sign in to this computer’s desktop so that its key store opens, then try again. If that does not help, ask the owner of the practice.

error-LOB-01 = Your clinician isn’t here yet.
    .next = Stay on this page. You don’t need to do anything.
error-LOB-02 = That person has left the waiting room.
    .next = They can come back with the same invitation. You can call them.
error-LOB-03 = Your message was not delivered.
    .next = Try again, or call.
error-LOB-04 = You were not admitted this time.
    .next = Call the practice. They can make another time.
error-LOB-05 = You have not been admitted yet.
    .next = Stay on this page. The clinician will let you in.

error-NET-01 = The server can’t be reached.
    .next = Check the internet connection. We keep trying.
error-NET-03 = The network is slow here. Your picture is paused so that your voice gets through.
    .next = Move closer to the router, or close other programs that use the network.
error-NET-04 = The connection was lost. We are reconnecting.
    .seen = Nobody else can join while you wait.
    .next = Wait a moment, or use the phone.
error-NET-05 = The other side sent something this version doesn’t understand.
    .next = Update Quietroom, or ask the practice to.
error-NET-06 = That message is too large.
    .next = Send less at once.
error-NET-07 = You were away too long to catch up with the call.
    .seen = Nobody can see or hear you.
    .next = Join again with the same link and code, or use the phone.

error-NET-08 = The server lost this room, perhaps because it was restarted.
    .seen = The people in this call still see and hear each other. Nobody can join.
    .next = Go on talking. To let somebody in, end the call and start it again.

error-FX-01 = Your background cannot be hidden at the moment.
    .seen = The others see an outline of a person instead of you. Your room stays hidden.
    .next = Wait a moment, choose another background, or continue with voice only.

error-CON-02 = The patient declined.
    .next = Respect that, and go on without. You can ask again later.

error-SHR-01 = This computer does not allow sharing.
    .seen = Nothing was shared.
    .next = Allow it in the system’s settings, or describe what you see.
error-SHR-02 = Sharing stopped because that window closed.
    .next = Open the window again and share it once more.

error-REC-02 = The recording stopped, since not everybody agrees.
    .next = Go on without a recording.

error-HOF-01 = Your colleague is not available.
    .next = Choose somebody else, or keep the patient with you.
error-HOF-02 = This room is open on another of your devices.
    .seen = Nobody can see or hear you here.
    .next = Go on there, or close it there and open it here again.

error-OPEN-01 = This program is for another system.
    .next = Download the one for this computer from the link in the e-mail.

error-ADM-01 = That sign-in name is taken.
    .next = Choose another one.
error-ADM-02 = The last administrator can’t be removed.
    .next = Make somebody else an administrator first.
error-ADM-04 = This weakens a protection.
    .next = Sign in afresh and give a reason.

error-MSG-01 = Link and code can’t go the same way.
    .next = Send the code by phone or text message.
error-MSG-02 = The code was not sent.
    .next = Read it to the patient on the phone.

error-AUD-01 = The audit chain is broken.
    .next = Keep a copy of the records and tell whoever is responsible for security.
error-AUD-02 = That range is longer than records are kept.
    .next = Choose a later start.

error-SRV-00 = The server gave a reason that this version doesn’t know.
    .next = Update Quietroom, then try again.
error-SRV-01 = The server had a fault. It was written down there.
    .next = Try again in a minute. If it goes on, call.
error-SRV-02 = Your account may not do that.
    .next = Ask your administrator if you need it.
error-SRV-03 = That isn’t there, or not for you.
    .next = Refresh the page and look again.
error-SRV-04 = The server did not accept what was typed.
    .next = Check each field, then try again.
error-SRV-05 = A limit is reached.
    .next = { $minutes ->
        [0] Wait a minute, then try again.
        [one] Try again in 1 minute.
       *[other] Try again in { $minutes } minutes.
    }

# Used where a code has no `.seen` of its own.
seen-outside = Nobody can see or hear you.
seen-in-call = Only the people listed in this call can see or hear you.
# Used where the person a notice is about has no name yet.
person-unknown = the other person
# Behind the text, for support.
error-code = Code { $code }
notice-label = Notice
notice-dismiss = Close this notice
