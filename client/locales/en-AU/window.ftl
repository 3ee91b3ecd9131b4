# Everything that the window says. One section a screen.
# Sentence case, no colon after labels, `…` where more input follows.

app-name = Quietroom

# The corner that is the same on every guest screen.
corner-help = Help
corner-help-close = Close help
corner-phone = Call { $practice } on { $phone }
corner-phone-unknown = Trouble? Call your practice.
help-title = Help
help-phone = You can always use the phone instead. Call { $practice } on { $phone }.
help-phone-unknown = You can always use the phone instead. Your practice’s number is in the e-mail with your invitation.
help-emergency = In an emergency call 000. This service is not for emergencies.
help-two-messages = You need two things from your practice: a link, usually by e-mail, and a code of 8 digits, by text message or phone.
help-seen = Nobody can see or hear you before you are let in. Nothing is recorded.
help-devices = Camera, microphone and speaker are each optional. You can join without any of them.
help-keyboard = Every button can be reached with the Tab key and pressed with Enter or Space.

connection-reconnecting = Reconnecting…

action-back = Back
action-continue = Continue
action-copied = Copied
action-paste = Paste
action-paste-nothing = There is nothing to paste yet. Copy it first.
step-of = Step { $step } of { $steps }
practice-unknown = the practice

## Start
start-title = Welcome
start-lead = Private video consultations, sealed from your computer to theirs.
start-guest = I have an invitation
start-guest-lead = For patients, carers and interpreters. You need the link and the code from your practice.
start-staff = I work here
start-staff-lead = For clinicians and practice staff. Sign in with your passphrase and second factor.
start-promise = End-to-end encrypted. Nothing is recorded. No account needed to join.

## Sign-in
signin-title = Sign in
signin-lead = Your passphrase never leaves this computer.
signin-name = Name
signin-passphrase = Passphrase
signin-show = Show passphrase
signin-hide = Hide passphrase
signin-go = Sign in
signin-busy = Checking…
signin-server = Server { $address }
signin-fingerprint = Key fingerprint
signin-server-why = This computer talks to no other server.
factor-title = Second factor
factor-lead = Open your authenticator app and type the six digits it shows now.
factor-code = Authenticator code
factor-go = Confirm

## Today
today-title = Today
today-greeting = Signed in as { $name }
today-book = Book an appointment…
today-refresh = Refresh
today-signout = Sign out
today-colleagues = Colleagues’ open rooms
today-visit = Ask to join
today-own = Your appointments
today-visit-spoken = Ask { $name } to let you in
today-empty = No appointments yet.
today-empty-lead = Book one to make an invitation for it.
today-updated = Updated { $time }
today-offline = Offline. This list is from { $time } and may be out of date.
today-renew = { $days ->
    [0] This computer’s certificate ends today. Ask the owner of the practice to renew it now: without it you cannot host.
    [one] This computer’s certificate ends in 1 day. Ask the owner of the practice to renew it.
   *[other] This computer’s certificate ends in { $days } days. Ask the owner of the practice to renew it.
}
today-invite = Make invitation
today-invite-again = Make a new invitation
today-revoke = Withdraw invitation
today-revoke-sure = Withdraw the invitation for { $label }?
today-revoke-what = The link and the code stop working at once. Somebody who is waiting is sent away.
today-revoke-yes = Withdraw
today-revoke-no = Keep it
today-assessor = Assessor call…
today-assessor-sure = Make { $label } an assessor call?
today-assessor-what = It is for testing the encryption, never for a patient. Everybody in the call is asked first and sees a red notice all the time. It cannot be switched off for that call.
today-assessor-yes = Make an assessor invitation
today-assessor-no = Keep it private
today-start = Open the room
today-admit = Open the room and admit
today-waiting = { $count ->
    [one] 1 person is waiting
   *[other] { $count } people are waiting
}
today-waiting-for = { $count ->
    [one] 1 person is waiting for { $label }
   *[other] { $count } people are waiting for { $label }
}
invitation-none = No invitation
invitation-made = Invitation open
invitation-elsewhere = Made on another computer
invitation-used = Invitation used
invitation-locked = Locked: the code was wrong three times
invitation-revoked = Invitation withdrawn
invitation-expired = Invitation expired

## Assessor call
assessor-title = Assessor call: not private
assessor-what = Everything said and shown in this call can be opened afterwards by whoever holds the key file.
assessor-question = This is not a private consultation
assessor-host = { $host } invites you to a test of the encryption.
assessor-patient = If you came for a consultation, leave and call the practice. If you take part, say and show nothing that is private.
assessor-accept = Take part
assessor-leave = Leave

## Booking
booking-title = Book an appointment
booking-lead = Use your own reference, never a patient’s name. The server sees it.
booking-label = Reference
booking-label-hint = For example R-1042
booking-date = Date
booking-date-hint = Year-month-day, for example { $example }
booking-time = Time
booking-time-hint = 24-hour clock, for example 14:30
booking-go = Book
booking-bad-label = Type a reference of 1 to 64 characters.
booking-bad-date = Type the date as year-month-day, for example { $example }.
booking-bad-time = Type the time on the 24-hour clock, for example 14:30.
booking-bad-past = That time has passed already. Choose a later one.

## Invitation
invite-title-link = The link
invite-title-code = The code
invite-step-link = First channel
invite-step-code = Second channel
invite-for = { $label }, { $time }
invite-link-lead = Send this link by e-mail, or let the patient scan it. The code comes next and must go another way.
invite-link = Invitation link
invite-email = Send by e-mail…
invite-copy-link = Copy the link
invite-save = Save as a file
invite-saved = Saved as { $path }. Attach it to an e-mail; the patient opens it with Quietroom.
invite-not-saved = The file could not be written. Copy the link instead.
invite-email-how = Your mail program opens with a draft, and the link is copied: paste it where the draft says so.
invite-qr = QR code of the invitation link
invite-qr-lead = For a patient in the room: scan it with their own device.
invite-by-server = This link goes out through the server’s own e-mail or web page
invite-by-server-marked = Noted: whoever runs the server knows this link. In the call both sides are asked to compare the safety words.
waiting-by-server = Link known to the server: compare the safety words
invite-next = The link is sent. Show the code
invite-code-lead = Read this code out on the phone, or send it as a text message. Never in the same e-mail as the link.
invite-code = Code for the patient
invite-code-spoken = Code, digit by digit: { $digits }
invite-copy-code = Copy the code
invite-done = The code is passed on. Done
invite-code-secret = Only this computer knows the code. It is shown this once.
invite-expires = Valid until { $time }.
invite-mail-subject = Your video appointment with { $practice }
invite-mail-body =
    Your video appointment is on { $time }.

    Open this link in Quietroom, or copy it and paste it there:

    (paste the invitation link here)

    You will also need a code of 8 digits. It reaches you another way, by phone or text message.

    If anything goes wrong, call { $practice } on { $phone }.

## Guest: link
joinlink-title = Your invitation link
joinlink-lead = Copy the link from the practice’s e-mail and paste it here.
joinlink-field = Invitation link
joinlink-hint = It begins with quietroom:
joinlink-busy = Looking up your invitation…
joinlink-seen = Nobody can see or hear you.

## Guest: code
joincode-title = Your code
joincode-lead = 8 digits, from the practice’s text message or phone call. Not in the e-mail.
joincode-field = Code of 8 digits
joincode-tries = { $tries ->
    [0] No tries left.
    [one] 1 try left.
   *[other] { $tries } tries left.
}
joincode-early = The door opens at { $time }, { $left }.
joincode-early-lead = You can test your devices now and wait here.
joincode-in-minutes = { $minutes ->
    [0] in less than a minute
    [one] in 1 minute
   *[other] in { $minutes } minutes
}
joincode-in-hours = { $hours ->
    [one] in about 1 hour
   *[other] in about { $hours } hours
}

## Guest: about you
about-title = About you
about-lead = So that your clinician knows it is you.
about-sealed = Sealed to your clinician. The server can’t read it.
about-name = Full name
about-birth = Birth date
about-birth-hint = Year-month-day, for example 1984-03-27
about-phone = Phone number to call you on
about-phone-hint = If the connection drops, your clinician calls this number.
about-more = Somebody is with me…
about-with = Who is with you
about-with-hint = For example: my daughter Ruth, an interpreter
about-consent = I agree to a consultation by video. It is not recorded.
about-missing-name = Type your full name.
about-missing-birth = Type your birth date as year-month-day, for example 1984-03-27.
about-missing-consent = Tick the box to agree to a consultation by video.

## Device check
devices-title = Your devices
devices-lead = Each of them is optional. You can continue as you are.
devices-camera = Camera
devices-microphone = Microphone
devices-speaker = Speaker
devices-checking = Looking for it…
devices-off = Not used
devices-camera-ready = Works. This is what the others will see.
devices-microphone-ready = Works. Say something: the bar moves.
devices-microphone-quiet = Works, but it is silent. Say something.
devices-speaker-ready = Works.
devices-level = Microphone level
devices-self = Your picture
devices-nopicture = No picture of you is sent.
devices-seen = Only you see this picture. Nobody can see or hear you yet.
devices-knock = When you continue, we knock for you.
devices-all-missing = Without camera and microphone you can still join, see and hear. The practice can call you.

## Guest lobby
lobby-title = You are in the right place
lobby-with = With { $practice }
lobby-host = { $host } will let you in.
lobby-host-unknown = Your clinician will let you in.
lobby-connecting = Reaching the practice…
lobby-waiting-host = Your clinician isn’t here yet. You don’t need to do anything.
lobby-proving = Checking your link and your code…
lobby-proven = Your link and code are right. Your clinician can see that you are waiting.
lobby-listed = Your colleague can see that you are waiting.
lobby-entering = You have been let in. Opening the room…
lobby-position = { $position ->
    [one] You are next.
   *[other] Your place in the queue: { $position }.
}
lobby-waited = { $minutes ->
    [0] You have just arrived.
    [one] You have waited 1 minute.
   *[other] You have waited { $minutes } minutes.
}
lobby-long = This takes longer than usual. You can keep waiting, or call { $practice }.
lobby-seen = Nobody can see or hear you while you wait.
lobby-leave = Leave the waiting room
lobby-leave-sure = Leave the waiting room?
lobby-leave-what = Your clinician no longer sees that you wait. You can come back with the same link and code.
lobby-reconnecting = The connection dropped. We are reconnecting, and you keep your place.
lobby-phone = Practice phone
lobby-phone-none = In your invitation e-mail

## Host lobby and the waiting panel
hostlobby-title = The room is open
hostlobby-lead = { $label }. You are alone here. Nobody can see or hear you until you admit them.
hostlobby-close = Close the room
hostlobby-close-sure = Close the room?
hostlobby-close-what = Whoever is waiting keeps their place until you open the room again. Link and code stay good.
hostlobby-close-yes = Close the room now
waiting-title = Waiting room
waiting-nobody = Nobody is waiting yet.
waiting-nobody-lead = Stay here: a banner appears as soon as somebody knocks.
waiting-nameless = Somebody
waiting-unsealed = Checking link and code. The name comes with them.
waiting-unverified = Checking the practice’s certificate.
waiting-birth = Born { $date }
waiting-phone = Phone { $phone }
waiting-with = With them: { $who }
waiting-since = { $minutes ->
    [0] Just arrived
    [one] Waiting for 1 minute
   *[other] Waiting for { $minutes } minutes
}
badge-link-ok = Link proven
badge-link-no = Link not proven
badge-code-ok = Code proven
badge-code-no = Code not proven
badge-code-failed = A wrong code was tried. { $tries ->
    [0] No tries left.
    [one] 1 try left.
   *[other] { $tries } tries left.
}
waiting-admit = Admit { $name }
waiting-admit-short = Admit
waiting-deny = Not now
waiting-deny-name = Not now, { $name }
waiting-admitting = Opening the room…
waiting-notready = You can admit them once link and code are proven.
waiting-notverified = You can admit them once their certificate is checked.
admit-title = Admit { $name }?
admit-lead = { $label }
admit-compare = Compare with your records before you let anybody in.
admit-check = I have compared name and birth date. This is the person I expect.
admit-colleague = Tell the others in this call who is about to join.
admit-colleague-check = The others in this call know who is joining.
admit-yes = Admit
admit-no = Not yet
deny-title = Turn { $name } away?
deny-lead = They read that they were not admitted this time, and are asked to call the practice. No reason is given.
deny-yes = Turn away
deny-no = Keep waiting

## Call
call-stage = Picture of { $name }
call-self = Your picture
call-self-hide = Hide my picture
call-self-show = Show my picture
call-waiting-picture = Waiting for the picture of { $name }…
call-camera-off = { $name } has the camera off.
call-no-camera = { $name } has no camera. You can hear each other.
call-no-microphone = { $name } has no microphone. Use the phone for the sound.
call-no-devices = { $name } has neither camera nor microphone. They can see and hear you.
call-muted = { $name } is muted.
call-disconnected = Connecting to { $name }…
call-undecryptable = We could not verify incoming sound and picture from { $name }. They are muted while we fix it.
call-alone = You are alone in the room.
call-alone-lead = Nobody can see or hear you until you admit them.
call-encrypted = End-to-end encrypted
call-not-encrypted = Setting up encryption…
call-path-direct = Direct connection
call-path-relay = Through a relay, sealed
call-path-none = Not connected
call-elapsed = Elapsed { $time }
share-open = Share a window
share-close = Hide windows
share-stop = Stop sharing
share-title = Which window should the others see?
share-what = They see this window alone, also when another one lies over it. Close what is private in it first.
share-looking = Looking for windows…
share-none = No other window is open. Open what you want to show, then look again.
share-again = Look again
share-window = Share { $title }, { $program }
share-minimised = Minimised
share-no-picture = No picture
share-sharing = The others see the window “{ $title }”
share-sharing-what = Nothing else of your screen is sent.
share-preview = What the others see
call-screen = Window of { $name }
settings-open = Settings
settings-close = Hide settings
device-change = Change
device-change-camera = Change the camera
device-change-microphone = Change the microphone
device-change-speaker = Change the speaker
device-close = Close
device-default = What the system chooses
device-none = None was found. Plug it in, then look again.
device-look = Look again
background-title = What the others see behind you
background-shown = My room
background-soft = Soft blur
background-strong = Strong blur
background-plain = Plain colour
background-shown-what = The others see your room as it is.
background-blur-what = Blur is for comfort. Large things can still be guessed: choose the plain colour if your room must stay private.
background-plain-what = Nothing of your room is sent. The edge of hair and hands may flicker.
background-failed = This does not work at the moment. The others see an outline of a person.
health-open = Connection
health-close = Hide connection
health-fair = Weak connection
health-poor = Poor connection
health-title = Your connection, over the last two seconds
health-nobody = Nobody else is connected yet.
health-member-good = { $name }: good
health-member-fair = { $name }: weak
health-member-poor = { $name }: poor
health-what-to-do = Move closer to the Wi-Fi or use a cable, stop downloads and other video, or turn your camera off: the voice then gets all there is.
health-round-trip = there and back { $value } ms
health-jitter = uneven by { $value } ms
health-lost = lost { $value } %
health-made-up = sound made up { $value } %
health-picture = picture { $value } a second
health-no-picture = no picture
health-coming = coming { $value }
health-can-send = can send { $value }
health-queue = waits { $value } ms on the way
health-freezes = picture stood still { $value } times
call-mute = Mute
call-unmute = Unmute
call-mic-none = No microphone
call-camera-stop = Stop camera
call-camera-start = Start camera
call-camera-none = No camera
call-leave = Leave
call-end = End for all
call-end-sure = End the consultation for everybody?
call-end-what = All connections close, and the keys are destroyed. Nothing was recorded.
call-end-what-assessor = All connections close. The keys of this assessor call are handed out.
call-end-yes = End for all now
call-leave-sure = Leave the consultation?
call-leave-what = Your camera and microphone stop at once.
call-leave-yes = Leave now
call-stay = Stay
call-muted-self = You are muted. Nobody can hear you.
call-waiting-banner = { $name } is waiting
call-waiting-more = { $count ->
    [one] and 1 more
   *[other] and { $count } more
}
call-step-in = { $name } seems to have lost the connection.
call-step-in-what = If they do not come back, you can run this call: let people in, take people out, and end it. The patient stays in the call.
call-step-in-yes = Run this call
call-must-compare = Compare the safety words before anything private is said.
call-must-compare-what = The link to this call went through the server, so whoever runs the server knows it. Only the words show that nobody came in with it.
call-people = In this call
call-people-count = { $count ->
    [one] 1 person
   *[other] { $count } people
}
roster-you = You
roster-remove = Remove…
roster-remove-spoken = Remove { $name } from the call
roster-remove-sure = Remove { $name }?
roster-remove-what = They stop seeing and hearing you at once. They can only come back with a new invitation.
roster-remove-yes = Remove now
roster-remove-no = Keep
roster-hand-over = Hand over…
roster-hand-over-spoken = Hand the consultation over to { $name }
roster-hand-over-sure = Hand over to { $name }?
roster-hand-over-what = { $name } runs this call from then on: lets people in, takes people out, and ends it. You stay in the call until you leave. The patient stays in the call.
roster-hand-over-yes = Hand over now
roster-hand-over-no = Keep running it
roster-hosts = runs this call
roster-removing = Cut off, being removed…
roster-nameless-host = Clinician
roster-nameless-patient = Patient
roster-nameless-other = Guest
role-host = Clinician
role-patient = Patient
role-carer = Carer
role-interpreter = Interpreter
role-other = Guest
roster-vouched-practice = Signed by the practice
roster-vouched-invitation = Link and code checked
roster-vouched-you = Admitted by you
roster-vouched-host = Admitted by { $name }
roster-verified = Words matched
roster-mic-on = Microphone on
roster-mic-off = Muted
roster-mic-missing = No microphone
roster-camera-on = Camera on
roster-camera-off = Camera off
roster-camera-missing = No camera
roster-row-spoken = { $name }, { $role }

## Safety words
safety-title = Safety words
safety-lead = Compare four words aloud to be sure that nobody sits in between.
safety-start = Compare words
safety-waiting = Getting the words…
safety-read = Read these aloud to each other
safety-digits = Or these digits
safety-words-spoken = Safety words: { $words }
safety-match = They match
safety-differ = They don’t match
safety-verified = The words matched. Nobody sits in between.
safety-mismatch = The words did not match. Say nothing private. Leave this call and phone each other.
safety-changed = Somebody joined since you compared. Compare again.

## Goodbye
goodbye-left = You have left
goodbye-ended = The consultation has ended
goodbye-denied = You were not admitted this time
goodbye-removed = You were taken out of the call
goodbye-failed = The call could not go on
goodbye-denied-lead = This can have many reasons. Call the practice to make another time.
goodbye-devices = Camera and microphone are off.
goodbye-devices-open = Closing camera and microphone…
goodbye-keys = The keys of this call are destroyed.
goodbye-keys-disclosed = This was an assessor call: its keys were handed out.
goodbye-recorded = Nothing was recorded.
goodbye-done = Done
goodbye-today = Back to today
goodbye-close = Close Quietroom
